import { useRef, useState } from "preact/hooks";
import type { LagAnswer, RebuildAnswer } from "../api/answers.ts";
import { ApiProblem } from "../api/client.ts";
import { count, duration, time } from "../model/format.ts";
import { Figure, ProblemNotice, Staleness } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useAction } from "../parts/use-action.ts";
import { usePoll } from "../parts/use-poll.ts";

/** All rows of learners and items have one pipeline: this name stands for all of them. */
const path = "/v1/ops/rebuild/learners";

const watchMs = 500;
const restMs = 2_000;

interface Status {
  /** null: none is known. */
  readonly report: RebuildAnswer | null;
  readonly head: number;
}

/** Rows made again from the log beside the live ones, and back. */
export function RebuildPage() {
  const { api } = useSession();
  const [pauseMs, setPauseMs] = useState(restMs);
  const polled = usePoll(
    "rebuild",
    async (signal): Promise<Status> => {
      const [report, { head }] = await Promise.all([
        api.get<RebuildAnswer>(path, signal).catch(noneYet),
        api.get<LagAnswer>("/v1/ops/lag", signal),
      ]);
      // One that runs is watched; otherwise somebody else may begin one.
      setPauseMs(isUnderWay(report) ? watchMs : restMs);
      return { report, head };
    },
    pauseMs,
  );
  const action = useAction();
  const start = (rollback: boolean) =>
    action.run(async () => {
      await api.post<RebuildAnswer>(rollback ? `${path}?rollback=true` : path);
      polled.again();
    });
  const running = action.running || isUnderWay(polled.data?.report ?? null);

  return (
    <>
      <p>
        A rebuild folds the whole log again into rows beside the live ones, compares both, and switches. Queries go on
        meanwhile. The rows before stay, to go back to.
      </p>
      <Staleness polled={polled} everyMs={pauseMs} />
      <ProblemNotice problem={action.problem} />
      <div class="row">
        <Confirmed
          name="Rebuild all rows"
          disabled={running}
          question="All rows of learners and items are made again from the log. This takes processor time, and memory for both sets of rows."
          onYes={() => void start(false)}
        />
        <Confirmed
          name="Go back to the rows before"
          disabled={running}
          question="Queries get the rows from before the last switch again, brought up to date with the log."
          onYes={() => void start(true)}
        />
      </div>
      {polled.data?.report === null && <p>No rebuild is known.</p>}
      {polled.data?.report != null && <Report report={polled.data.report} head={polled.data.head} />}
    </>
  );
}

const isUnderWay = (report: RebuildAnswer | null): boolean =>
  report?.status === "waiting" || report?.status === "running";

function noneYet(error: unknown): null {
  if (error instanceof ApiProblem && error.status === 404) return null;
  throw error;
}

/** A button that asks before it does. */
function Confirmed(props: {
  readonly name: string;
  readonly question: string;
  readonly disabled: boolean;
  readonly onYes: () => void;
}) {
  const { name, question, disabled, onYes } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {name}
      </button>
      <dialog ref={dialog} aria-label={name}>
        <form method="dialog">
          <p>{question}</p>
          <div class="row">
            <button type="submit" onClick={onYes}>
              {name}
            </button>
            <button type="submit">Leave it</button>
          </div>
        </form>
      </dialog>
    </>
  );
}

function Report({ report, head }: { readonly report: RebuildAnswer; readonly head: number }) {
  const { status, events, position, startedAt, finishedAt, error } = report;
  const seconds = (Date.parse(finishedAt ?? new Date().toISOString()) - Date.parse(startedAt)) / 1000;
  return (
    <section aria-label="The last rebuild">
      <h2>{isUnderWay(report) ? "Under way" : "The last one"}</h2>
      {status === "running" && (
        <label class="progress">
          Position {count(position)} of {count(head)} <progress max={Math.max(1, head)} value={position} />
        </label>
      )}
      <p role="status" class={status === "failed" ? "notice bad" : status === "done" ? "notice good" : "notice"}>
        {wordsOf(report)}
      </p>
      {error !== null && <p class="notice bad">{error}</p>}
      <dl class="figures">
        <Figure name="Events folded" value={count(events)} />
        <Figure name="Took" value={duration(Math.max(0, seconds))} />
        <Figure name="Started" value={time(startedAt)} />
      </dl>
    </section>
  );
}

function wordsOf({ status, identical, different, differing, behind }: RebuildAnswer): string {
  if (status === "waiting") return "It waits for a process of the role jobs or projector to take it up.";
  if (status === "running") return "Rows are being made. The live ones answer until then.";
  if (status === "failed") return "It failed. The rows before stay in use.";
  if (identical === true) return "Done. The rebuilt rows equal the ones before, to the byte.";
  if (identical === null) return "Done. Queries get these rows.";
  const some = differing.length > 0 ? `, for instance ${differing.join(", ")}` : "";
  return `Done. ${count(different)} rows differ from the ones before${some}; ${count(behind)} were not compared.`;
}
