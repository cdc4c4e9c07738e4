import { useEffect, useMemo, useState } from "preact/hooks";
import type { HistoryAnswer, NextAnswer, ScoresAnswer } from "../api/answers.ts";
import { learnerPath, pathOf } from "../api/client.ts";
import { count, percent } from "../model/format.ts";
import { placeInWords, positionAt, type Timeline, withEarlier } from "../model/timeline.ts";
import { LearnerChoice } from "../parts/learner-choice.tsx";
import { Figure, ProblemNotice, Staleness } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useAction } from "../parts/use-action.ts";
import { go, usePlace } from "../parts/use-place.ts";
import { usePoll } from "../parts/use-poll.ts";
import { HistoryTable } from "./history-table.tsx";
import { NextList } from "./next-list.tsx";
import { SkillMap } from "./skill-map.tsx";

/** What a learner knows, what is next for them and why, now or at any time before. */
export function LearnerPage() {
  const { query } = usePlace();
  const learnerId = query.id ?? "";
  return (
    <>
      <LearnerChoice key={learnerId} learnerId={learnerId} onChoose={(id) => go("learner", { id })} />
      {learnerId === "" ? (
        <p>Whose? In the demo there are ada, ben, chloe and 27 others.</p>
      ) : (
        <Learner key={learnerId} learnerId={learnerId} />
      )}
    </>
  );
}

const listed = 8;
const historyPage = 500;
/** The slider is moved in small steps: asked is where it rests. */
const restMs = 120;

function Learner({ learnerId }: { readonly learnerId: string }) {
  const { api, may } = useSession();
  const [timeline, setTimeline] = useState<Timeline | null>(null);
  /** On the slider; null: now. */
  const [place, setPlace] = useState<number | null>(null);
  const reading = useAction();
  const position = useRested(timeline === null || place === null ? null : positionAt(timeline, place), restMs);

  const newest = usePoll(`history of ${learnerId}`, (signal) =>
    api.get<HistoryAnswer>(pathOf(learnerPath(learnerId, "history"), { count: 1 }), signal),
  );
  const newestRevision = newest.data?.events[0]?.revision ?? 0;
  const read = (before: number | null) =>
    reading.run(async () => {
      const page = await api.get<HistoryAnswer>(
        pathOf(learnerPath(learnerId, "history"), { count: historyPage, before }),
      );
      setTimeline((known) => withEarlier(before === null ? null : known, page));
    });
  // What the learner does meanwhile joins the timeline; who looks at the past stays where they are.
  useEffect(() => void read(null), [newestRevision]);

  const about = `${learnerId} at ${position ?? "now"}`;
  const at = position === null ? null : String(position);
  const scores = usePoll(`scores of ${about}`, (signal) =>
    api.get<ScoresAnswer>(pathOf(learnerPath(learnerId, "scores"), { at }), signal),
  );
  // Who may look at the past only may not take up a learner's list of now.
  const mayNext = position !== null || may("client");
  const next = usePoll(
    `next of ${about}`,
    mayNext
      ? (signal) => api.get<NextAnswer>(pathOf(learnerPath(learnerId, "next"), { count: listed, at }), signal)
      : null,
  );

  return (
    <>
      <ProblemNotice problem={reading.problem} />
      {timeline !== null && timeline.steps.length > 0 && may("analyst") && (
        <TimeSlider timeline={timeline} place={place} onMove={setPlace} onEarlier={(before) => void read(before)} />
      )}
      <Staleness polled={scores} />
      {scores.data !== null && <Summary scores={scores.data} />}
      <h2>Mastery by skill</h2>
      <SkillMap mastery={scores.data?.skills ?? []} />
      <h2>What is next, and why</h2>
      {mayNext ? <Staleness polled={next} /> : <p>The list of now needs a key with the scope client.</p>}
      {next.data !== null && <NextList learnerId={learnerId} next={next.data} at={at} />}
      <h2>History</h2>
      {timeline !== null && <HistoryTable timeline={timeline} place={place} />}
    </>
  );
}

function Summary({ scores }: { readonly scores: ScoresAnswer }) {
  const { answers, correct, ability, streak, model, modelVersion, at } = scores;
  return (
    <dl class="figures">
      <Figure name="Answers" value={count(answers)} />
      <Figure name="Right" value={answers === 0 ? "-" : percent(correct / answers)} />
      <Figure name="Ability" value={ability.toFixed(2)} note="logits" />
      <Figure name="Streak" value={count(streak)} />
      <Figure name="Model" value={`${model} ${modelVersion}`} />
      {at !== undefined && <Figure name="As of" value={at.time.slice(0, 19).replace("T", " ")} note="UTC" />}
    </dl>
  );
}

/** A place for each event of the learner, and the last one for now. Arrow keys move it. */
function TimeSlider(props: {
  readonly timeline: Timeline;
  readonly place: number | null;
  readonly onMove: (place: number | null) => void;
  readonly onEarlier: (before: number) => void;
}) {
  const { timeline, place, onMove, onEarlier } = props;
  const last = timeline.steps.length;
  const words = placeInWords(timeline, place ?? last);
  return (
    <div class="slider">
      <label for="time">Look at the past</label>
      <input
        id="time"
        type="range"
        min={0}
        max={last}
        step={1}
        value={place ?? last}
        aria-valuetext={words}
        onInput={(event) => {
          const moved = Number(event.currentTarget.value);
          onMove(moved >= last ? null : moved);
        }}
      />
      <output for="time">{words}</output>
      <div class="row">
        {timeline.nextBefore !== null && (
          <button type="button" onClick={() => onEarlier(timeline.nextBefore ?? 1)}>
            Earlier events
          </button>
        )}
        {place !== null && (
          <button type="button" onClick={() => onMove(null)}>
            Back to now
          </button>
        )}
      </div>
    </div>
  );
}

/** The value, once it has rested for so long. */
function useRested<T>(value: T, ms: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return useMemo(() => rested, [rested]);
}
