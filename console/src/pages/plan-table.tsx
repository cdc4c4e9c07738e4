import type { ScalingAnswer } from "../api/answers.ts";
import { count } from "../model/format.ts";
import { DataTable } from "../parts/notices.tsx";

const head = ["Role", "Running", "Wanted", "Needed now", "In ten minutes", "Binds", "Why"];

/** How many workers each role takes, and the reasoning. */
export function PlanTable({ plan: { roles, unreadable } }: { readonly plan: ScalingAnswer }) {
  if (roles.length === 0) return <p>Nothing is known yet: rates take two looks.</p>;
  return (
    <>
      <DataTable caption="Workers by role" head={head}>
        {roles.map(({ role, running, desired, neededNow, neededSoon, binds, why }) => (
          <tr key={role}>
            <th scope="row">{role}</th>
            <td class="number">{count(running)}</td>
            <td class="number">{count(desired)}</td>
            <td class="number">{neededNow === null ? "-" : count(neededNow)}</td>
            <td class="number">{neededSoon === null ? "-" : count(neededSoon)}</td>
            <td>{binds}</td>
            <td class="words">{why}</td>
          </tr>
        ))}
      </DataTable>
      {unreadable.length > 0 && <p class="notice bad">Nothing is known of {unreadable.join(", ")}.</p>}
    </>
  );
}
