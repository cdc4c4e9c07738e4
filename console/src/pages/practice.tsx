import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { InteractionsAnswer, NextAnswer, ScoresAnswer, TracksPage } from "../api/answers.ts";
import { type Api, learnerPath, pathOf } from "../api/client.ts";
import { masteryChanges } from "../model/mastery-changes.ts";
import type { Doing, Done } from "../model/practice.ts";
import { LearnerChoice } from "../parts/learner-choice.tsx";
import { ProblemNotice } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useAction } from "../parts/use-action.ts";
import { go, usePlace } from "../parts/use-place.ts";
import { LagNow, Question, WhatChanged } from "./practice-parts.tsx";

type Item = NextAnswer["items"][number];
/** Answer items and watch what that changes. */
export function PracticePage() {
  const { query } = usePlace();
  const learnerId = query.id ?? "me";
  const track = query.track ?? "";
  const { may } = useSession();
  return (
    <>
      <p>
        Proximal chooses; an app shows the item and marks the answer. Here you mark yourself. Everything goes through
        the public API and into the log.
      </p>
      <div class="row">
        <LearnerChoice key={learnerId} learnerId={learnerId} onChoose={(id) => go("practice", { id, track })} />
        <TrackChoice track={track} onChoose={(chosen) => go("practice", { id: learnerId, track: chosen })} />
      </div>
      <Practice key={`${learnerId} ${track}`} learnerId={learnerId} track={track === "" ? null : track} />
      {may("operator") && <LagNow />}
    </>
  );
}

function TrackChoice({ track, onChoose }: { readonly track: string; readonly onChoose: (track: string) => void }) {
  const { api } = useSession();
  const [tracks, setTracks] = useState<TracksPage["tracks"]>([]);
  useEffect(() => {
    const ended = new AbortController();
    api.get<TracksPage>("/v1/tracks?count=1000", ended.signal).then(
      (page) => setTracks(page.tracks),
      () => undefined,
    );
    return () => ended.abort();
  }, [api]);
  return (
    <label>
      Track{" "}
      <select value={track} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">any</option>
        {tracks.map(({ trackId, title }) => (
          <option key={trackId} value={trackId}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Standing {
  readonly next: NextAnswer;
  readonly scores: ScoresAnswer;
}

interface Asking {
  readonly learnerId: string;
  readonly track: string | null;
  /** Items that are not wanted again for now. */
  readonly skipped: readonly string[];
}

const skippedMax = 20;

/** List and scores; with a token, not before they include that interaction. */
async function ask(api: Api, { learnerId, track, skipped }: Asking, after: string | null): Promise<Standing> {
  const exclude = skipped.length === 0 ? null : skipped.join(",");
  const [next, scores] = await Promise.all([
    api.get<NextAnswer>(pathOf(learnerPath(learnerId, "next"), { count: 5, track, exclude, after })),
    api.get<ScoresAnswer>(pathOf(learnerPath(learnerId, "scores"), { after })),
  ]);
  return { next, scores };
}

function Practice({ learnerId, track }: { readonly learnerId: string; readonly track: string | null }) {
  const { api } = useSession();
  const [standing, setStanding] = useState<Standing | null>(null);
  const [done, setDone] = useState<readonly Done[]>([]);
  const action = useAction();
  const heading = useRef<HTMLHeadingElement>(null);
  const shownAt = useRef(performance.now());
  const skipped = useRef<readonly string[]>([]);
  const asking = (): Asking => ({ learnerId, track, skipped: skipped.current });
  useEffect(() => void action.run(async () => setStanding(await ask(api, asking(), null))), []);
  const item = standing?.next.items[0];
  useLayoutEffect(() => {
    shownAt.current = performance.now();
    if (done.length > 0) heading.current?.focus();
  }, [item?.itemId, done.length]);

  const act = (current: Item, doing: Doing) =>
    action.run(async () => {
      if (standing === null) return;
      const durationMs = Math.round(performance.now() - shownAt.current);
      const token = await post(api, interactionOf(current, doing, { learnerId, track, durationMs, standing }));
      const postedAt = performance.now();
      if (doing === "skip") skipped.current = [...skipped.current, current.itemId].slice(-skippedMax);
      const now = await ask(api, asking(), token);
      const visibleMs = now.next.fresh === false ? null : performance.now() - postedAt;
      const changes = masteryChanges(standing.scores, now.scores);
      setDone((before) => [{ title: current.title, doing, p: current.p, changes, visibleMs }, ...before].slice(0, 10));
      setStanding(now);
    });

  return (
    <>
      <ProblemNotice problem={action.problem} />
      {standing !== null && item === undefined && (
        <p>
          {standing.next.stop?.text ?? "Nothing is published that fits."} A course to try:{" "}
          <code>npm start -- --demo</code>
        </p>
      )}
      {item !== undefined && (
        <Question
          item={item}
          after={standing?.next.items.slice(1) ?? []}
          headingRef={heading}
          busy={action.running}
          onDo={(doing) => void act(item, doing)}
        />
      )}
      <WhatChanged done={done} />
    </>
  );
}

interface About {
  readonly learnerId: string;
  readonly track: string | null;
  readonly durationMs: number;
  readonly standing: Standing;
}

function interactionOf({ itemId }: Item, doing: Doing, { learnerId, track, durationMs, standing }: About): object {
  return {
    ...{ id: crypto.randomUUID(), learnerId, itemId, durationMs, selectionId: standing.next.selectionId },
    ...(track === null ? {} : { trackId: track }),
    ...(doing === "hint" || doing === "skip" ? { kind: doing } : { kind: "answer", correct: doing === "right" }),
    source: "console",
  };
}

/** Resolves with the freshness token. */
async function post(api: Api, interaction: object): Promise<string> {
  const { tokens } = await api.post<InteractionsAnswer>("/v1/interactions", interaction);
  const [token] = Object.values(tokens);
  if (token === undefined) throw new Error("the reply to the post has no token");
  return token;
}
