import type { WorkersAnswer } from "../api/answers.ts";
import { agoOf, count, percent, rate } from "../model/format.ts";
import { type Owned, workerName } from "../model/ownership.ts";
import { DataTable } from "../parts/notices.tsx";

const head = ["Process", "Role", "Partitions", "Busy", "Requests /s", "Parked", "Version", "Started"];

/** Who runs, who owns which partition, and which nobody owns. */
export function WorkersTable(props: {
  readonly workers: WorkersAnswer["workers"];
  readonly owned: readonly Owned[];
  readonly now: number;
}) {
  const { workers, owned, now } = props;
  const orphans = owned.filter(({ owners }) => owners.length === 0).map(({ partition }) => partition);
  const shared = owned.filter(({ owners }) => owners.length > 1);
  return (
    <>
      <DataTable caption="Processes of this deployment" head={head}>
        {workers.map((worker) => (
          <tr key={worker.id}>
            <th scope="row">{workerName(worker)}</th>
            <td>{worker.role}</td>
            <td>{worker.partitions.length === 0 ? "-" : worker.partitions.join(", ")}</td>
            <td class="number">{percent(worker.busyShare)}</td>
            <td class="number">{rate(worker.requestsPerSecond)}</td>
            <td class="number">{count(worker.parked)}</td>
            <td>{worker.version ?? "-"}</td>
            <td>{agoOf(worker.startedAt, now)}</td>
          </tr>
        ))}
      </DataTable>
      {orphans.length > 0 && (
        <p class="notice bad">Nobody owns partition {orphans.join(", ")}: what learners do there is not folded.</p>
      )}
      {shared.map(({ partition, owners }) => (
        <p class="notice" key={partition}>
          Partition {partition} is handed over: {owners.join(" and ")} have it.
        </p>
      ))}
    </>
  );
}
