import { useState } from "preact/hooks";
import { count, duration, time } from "../model/format.ts";
import { outcomeOf, type Timeline, toldBy } from "../model/timeline.ts";
import { DataTable } from "../parts/notices.tsx";

const head = ["Event", "When", "Item", "Outcome", "Took"];
const shownMax = 20;

/** The newest of what a learner did, as far as the slider shows. */
export function HistoryTable({ timeline, place }: { readonly timeline: Timeline; readonly place: number | null }) {
  const seen = place === null ? timeline.steps : timeline.steps.slice(0, place + 1);
  const [most, setMost] = useState(shownMax);
  const shown = seen.slice(-most).toReversed();
  if (shown.length === 0) return <p>Nothing yet.</p>;
  return (
    <>
      <DataTable caption={`The last ${count(shown.length)} events, newest first`} head={head}>
        {shown.map((event) => {
          const told = toldBy(event);
          return (
            <tr key={event.revision}>
              <th scope="row">{count(event.revision)}</th>
              <td>{time(told.occurredAt ?? event.recordedAt)}</td>
              <td class="words">{event.title ?? told.itemId ?? event.type}</td>
              <td class={told.correct === null ? undefined : told.correct ? "good" : "bad"}>{outcomeOf(told)}</td>
              <td class="number">{told.durationMs === null ? "-" : duration(told.durationMs / 1000)}</td>
            </tr>
          );
        })}
      </DataTable>
      {seen.length > most && (
        <button type="button" onClick={() => setMost((n) => n * 5)}>
          Show more
        </button>
      )}
    </>
  );
}
