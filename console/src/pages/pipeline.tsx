import type { LagAnswer, ScalingAnswer, WorkersAnswer } from "../api/answers.ts";
import { count, duration, percent, rate, share } from "../model/format.ts";
import { longestDrain, rowName, throughput, worstOf } from "../model/lag.ts";
import { ownership } from "../model/ownership.ts";
import { Chart } from "../parts/chart.tsx";
import { DataTable, Figure, Staleness } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useLag } from "../parts/use-lag.ts";
import { useNow, usePoll } from "../parts/use-poll.ts";
import { PlanTable } from "./plan-table.tsx";
import { WorkersTable } from "./workers-table.tsx";

/** The plan looks ten minutes ahead: it does not change from one second to the next. */
const planMs = 5_000;
const workersMs = 2_000;

/** How far everything is behind, how fast it goes, and who does it. */
export function PipelinePage() {
  const { api } = useSession();
  const { polled, behind, flow } = useLag(true);
  const workers = usePoll("workers", (signal) => api.get<WorkersAnswer>("/v1/ops/workers", signal), workersMs);
  const scaling = usePoll("scaling", (signal) => api.get<ScalingAnswer>("/v1/ops/scaling", signal), planMs);
  const now = useNow();
  return (
    <>
      <Staleness polled={polled} />
      {polled.data !== null && (
        <>
          <Figures lag={polled.data} />
          <div class="columns">
            <Chart title="Learners' events a second" series={flow} format={rate} />
            <Chart
              title="Seconds behind"
              series={behind}
              format={(value) => (value === null ? "-" : duration(value))}
            />
          </div>
          <h2>Projections</h2>
          <Projections lag={polled.data} />
          <Queues lag={polled.data} />
        </>
      )}
      <h2>How many workers</h2>
      <Staleness polled={scaling} everyMs={planMs} />
      {scaling.data !== null && <PlanTable plan={scaling.data} />}
      <h2>Workers and partitions</h2>
      <Staleness polled={workers} everyMs={workersMs} />
      {workers.data !== null && (
        <WorkersTable
          workers={workers.data.workers}
          owned={ownership(workers.data.workers, polled.data?.projections ?? [])}
          now={now}
        />
      )}
    </>
  );
}

function Figures({ lag: { head, projections, freshness, unreadable } }: { readonly lag: LagAnswer }) {
  const worst = worstOf(projections);
  const flow = throughput(projections);
  const drain = longestDrain(projections);
  return (
    <>
      <dl class="figures">
        <Figure name="Events in the log" value={count(head)} />
        <Figure name="In" value={`${rate(flow.get("in"))} /s`} />
        <Figure name="Folded" value={`${rate(flow.get("folded"))} /s`} />
        <Figure
          name="Behind"
          value={duration(worst.seconds)}
          note={worst.name === null ? "nothing" : `${worst.name}, ${count(worst.events)} events`}
        />
        <Figure name="Time to drain" value={duration(drain)} />
        {freshness !== null && <Freshness freshness={freshness} />}
      </dl>
      {worst.neverStarted > 0 && (
        <p class="notice bad">
          {count(worst.neverStarted)} of the projections below never started: they are stale, not caught up.
        </p>
      )}
      {unreadable.length > 0 && (
        <p class="notice bad">Nothing is known of {unreadable.join(", ")}: their engine does not answer.</p>
      )}
    </>
  );
}

/** The service level: answers that queries saw in time, and what is left of the error budget. */
function Freshness({ freshness }: { readonly freshness: NonNullable<LagAnswer["freshness"]> }) {
  const { good, total, objective, withinSeconds, budgetLeft } = freshness;
  return (
    <>
      <Figure
        name={`Visible within ${duration(withinSeconds)}`}
        value={total === 0 ? "-" : share(good / total)}
        note={`of ${count(total)}; objective ${share(objective)}`}
      />
      <Figure name="Error budget left" value={percent(budgetLeft)} />
    </>
  );
}

const projectionHead = [
  "Projection",
  "State",
  "Position",
  "Events behind",
  "Behind",
  "In /s",
  "Folded /s",
  "Drains in",
];

function Projections({ lag }: { readonly lag: LagAnswer }) {
  return (
    <DataTable caption="Projections by partition" head={projectionHead}>
      {lag.projections.map((row) => (
        <tr key={rowName(row)} class={row.started ? undefined : "bad"}>
          <th scope="row">{rowName(row)}</th>
          <td>{row.state}</td>
          <td class="number">{count(row.position)}</td>
          <td class="number">{count(row.behindEvents)}</td>
          <td class="number">{duration(row.behindSeconds)}</td>
          <td class="number">{rate(row.rateIn)}</td>
          <td class="number">{rate(row.rateOut)}</td>
          <td class="number">{duration(row.secondsToDrain)}</td>
        </tr>
      ))}
    </DataTable>
  );
}

export function Queues({ lag: { queues } }: { readonly lag: LagAnswer }) {
  if (queues.length === 0) return null;
  const head = ["Queue", "Waiting", "Active", "Delayed", "Failed", "Oldest waits", "Done /s"];
  return (
    <>
      <h2>Queues</h2>
      <DataTable caption="Queues of background jobs" head={head}>
        {queues.map((queue) => (
          <tr key={queue.queue}>
            <th scope="row">{queue.queue}</th>
            <td class="number">{count(queue.waiting)}</td>
            <td class="number">{count(queue.active)}</td>
            <td class="number">{count(queue.delayed)}</td>
            <td class="number">{count(queue.failed)}</td>
            <td class="number">{duration(queue.oldestWaitingSeconds)}</td>
            <td class="number">{rate(queue.completedPerSecond)}</td>
          </tr>
        ))}
      </DataTable>
    </>
  );
}
