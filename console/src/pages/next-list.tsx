import { useEffect, useState } from "preact/hooks";
import type { ExplanationAnswer, NextAnswer } from "../api/answers.ts";
import { learnerPath, pathOf } from "../api/client.ts";
import { percent } from "../model/format.ts";
import { largestTerms } from "../model/terms.ts";
import { Bar, DataTable, ProblemNotice } from "../parts/notices.tsx";
import { useSession } from "../parts/session.ts";
import { useAction } from "../parts/use-action.ts";

const sources = {
  personal: "This learner's own list.",
  popular: "A new learner: what many do.",
  stale: "The read models are away: the last list that is known.",
} as const;

/** The list, with the reason of each item; on request, what the prediction is made of. */
export function NextList(props: { readonly learnerId: string; readonly next: NextAnswer; readonly at: string | null }) {
  const { learnerId, next, at } = props;
  const { api, may } = useSession();
  const [why, setWhy] = useState<ExplanationAnswer | null>(null);
  const [asked, setAsked] = useState<string | null>(null);
  const action = useAction();
  const { items } = next;
  // Of another list it would explain something else.
  useEffect(() => setAsked(null), [next.selectionId]);

  const explain = (itemId: string) =>
    action.run(async () => {
      const path = pathOf(learnerPath(learnerId, "explain"), { at, count: items.length });
      setWhy(await api.get<ExplanationAnswer>(path));
      setAsked(itemId);
    });
  const explained = asked === null ? undefined : why?.items.find(({ itemId }) => itemId === asked);
  const mayAsk = may("analyst");

  if (items.length === 0) return <p>Nothing. {next.stop?.text ?? "Nothing is published that fits."}</p>;
  return (
    <>
      <p>
        {sources[next.source]} Policy {next.policyVersion}, model {next.model} {next.modelVersion}.{" "}
        {next.stop !== null && <strong>{next.stop.text}</strong>}
      </p>
      <DataTable
        caption="Next items"
        head={["Item", "Skills", "Success", "Propensity", "Reason", ...(mayAsk ? ["Why"] : [])]}
      >
        {items.map(({ itemId, title, skills, p, propensity, reason }) => (
          <tr key={itemId}>
            <th scope="row" class="words">
              {title}
            </th>
            <td class="words">{skills.map((skill) => skill.title).join(", ")}</td>
            <td class="number">
              <Bar share={p} label={`Predicted success with ${title}`} /> {percent(p)}
            </td>
            <td class="number">{propensity.toFixed(3)}</td>
            <td class="words">{reason.text}</td>
            {mayAsk && (
              <td>
                <button
                  type="button"
                  aria-label={`Why ${title}?`}
                  aria-expanded={asked === itemId}
                  disabled={action.running}
                  onClick={() => void (asked === itemId ? setAsked(null) : explain(itemId))}
                >
                  Why?
                </button>
              </td>
            )}
          </tr>
        ))}
      </DataTable>
      <ProblemNotice problem={action.problem} />
      {asked !== null && (
        <div role="status">
          {explained === undefined ? (
            <p>The list has changed: this item is not on it any more.</p>
          ) : (
            <Terms of={explained} />
          )}
        </div>
      )}
    </>
  );
}

function Terms({ of: { title, itemId, prediction } }: { readonly of: ExplanationAnswer["items"][number] }) {
  return (
    <DataTable
      caption={`${title ?? itemId}: ${percent(prediction.p)} is a sum of ${prediction.logit.toFixed(2)} logits`}
      head={["Term", "Value", "Logits"]}
    >
      {largestTerms(prediction, 8).map(({ name, value, logits }) => (
        <tr key={name}>
          <th scope="row">{name}</th>
          <td class="number">{value === null ? "" : value.toFixed(3)}</td>
          <td class="number">{logits.toFixed(3)}</td>
        </tr>
      ))}
    </DataTable>
  );
}
