import { useState } from "preact/hooks";
import type { InspectionAnswer, ParkedAnswer, RetryAnswer } from "../api/answers.ts";
import { count, time } from "../model/format.ts";
import { DataTable, ProblemNotice, Staleness } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useAction } from "../parts/use-action.ts";
import { usePoll } from "../parts/use-poll.ts";

const everyMs = 2_000;
const head = ["Learner", "Why", "Since", "Attempts", "Revision", "Partition", "Do"];
const parkedPath = (learnerId: string): string => `/v1/ops/parked/${encodeURIComponent(learnerId)}`;

/** Learners set aside because an event of theirs could not be folded. */
export function ParkedPage() {
  const { api } = useSession();
  const polled = usePoll("parked", (signal) => api.get<ParkedAnswer>("/v1/ops/parked", signal), everyMs);
  const [inspected, setInspected] = useState<InspectionAnswer | null>(null);
  const [outcomes, setOutcomes] = useState<readonly RetryAnswer[]>([]);
  const action = useAction();

  const inspect = (learnerId: string) =>
    action.run(async () => setInspected(await api.get<InspectionAnswer>(parkedPath(learnerId))));
  const retry = (learnerIds: readonly string[]) =>
    action.run(async () => {
      const told: RetryAnswer[] = [];
      setOutcomes(told);
      for (const learnerId of learnerIds) {
        told.push(await api.post<RetryAnswer>(`${parkedPath(learnerId)}/retry`));
        setOutcomes([...told]);
        if (told.at(-1)?.status === "retried") setInspected((one) => (one?.learnerId === learnerId ? null : one));
      }
      polled.again();
    });
  const parked = polled.data?.parked ?? [];

  return (
    <>
      <p>An event that cannot be folded stops its learner only. Everyone else goes on, and nothing is lost.</p>
      <Staleness polled={polled} everyMs={everyMs} />
      <ProblemNotice problem={action.problem} />
      <Outcomes outcomes={outcomes} />
      {polled.data !== null && parked.length === 0 && <p>Nobody is parked.</p>}
      {parked.length > 0 && (
        <>
          <DataTable caption="Parked learners" head={head}>
            {parked.map((one) => (
              <tr key={one.learnerId}>
                <th scope="row">{one.learnerId}</th>
                <td class="words">{one.error}</td>
                <td>{time(one.at)}</td>
                <td class="number">{count(one.attempts)}</td>
                <td class="number">{count(one.revision)}</td>
                <td class="number">{one.partition}</td>
                <td>
                  <div class="row">
                    <button
                      type="button"
                      aria-label={`Inspect ${one.learnerId}`}
                      onClick={() => void inspect(one.learnerId)}
                    >
                      Inspect
                    </button>
                    <button
                      type="button"
                      aria-label={`Retry ${one.learnerId}`}
                      disabled={action.running}
                      onClick={() => void retry([one.learnerId])}
                    >
                      Retry
                    </button>
                  </div>
                </td>
              </tr>
            ))}
          </DataTable>
          {parked.length > 1 && (
            <button
              type="button"
              disabled={action.running}
              onClick={() => void retry(parked.map((one) => one.learnerId))}
            >
              Retry all {parked.length}
            </button>
          )}
        </>
      )}
      {inspected !== null && <Inspection of={inspected} />}
    </>
  );
}

function Outcomes({ outcomes }: { readonly outcomes: readonly RetryAnswer[] }) {
  return (
    <div role="status" aria-label="Outcome of the retry">
      {outcomes.map(({ learnerId, status, error }) =>
        status === "retried" ? (
          <p class="notice good" key={learnerId}>
            {learnerId}: folded. Their rows are up to date.
          </p>
        ) : (
          <p class="notice bad" key={learnerId}>
            {learnerId}: still cannot be folded. {error}
          </p>
        ),
      )}
    </div>
  );
}

function Inspection({ of: { learnerId, event } }: { readonly of: InspectionAnswer }) {
  return (
    <section aria-label={`The event of ${learnerId}`}>
      <h2>The event of {learnerId} that cannot be folded</h2>
      {event === null ? (
        <p>The log has it no more.</p>
      ) : (
        <>
          <p>
            {event.type}, revision {count(event.revision)}, position {count(event.position)} of the log, recorded{" "}
            {time(event.recordedAt)}
          </p>
          <pre>{JSON.stringify(event.data, null, 2)}</pre>
        </>
      )}
    </section>
  );
}
