import type { ComponentChildren } from "preact";
import type { ApiProblem } from "../api/client.ts";
import { duration } from "../model/format.ts";
import { type Polled, useNow } from "./use-poll.ts";

/** Why something that was asked for did not happen. */
export function ProblemNotice({ problem }: { readonly problem: ApiProblem | null }) {
  if (problem === null) return null;
  return (
    <div class="notice bad" role="alert">
      <strong>{problem.title}</strong>
      {problem.detail !== "" && <span> {problem.detail}</span>}
      {problem.code !== null && (
        <>
          {" "}
          <a href={`/docs/problems#${problem.code}`}>What {problem.code} means</a>
        </>
      )}
    </div>
  );
}

/** So much later than it should be. */
const staleAfterMs = 3_000;

/** How old the figures below are, where they are not of now, and why. */
export function Staleness(props: { readonly polled: Polled<unknown>; readonly everyMs?: number }) {
  const {
    polled: { at, problem },
    everyMs = 1_000,
  } = props;
  const now = useNow();
  const age = at === null ? null : now - at;
  const stale = age !== null && age > everyMs + staleAfterMs;
  // The age changes each second: who hears the page is told of the change, not of each second.
  return (
    <div class="staleness">
      <span role="status">
        {problem === null && !stale && at !== null && <span class="live">Live</span>}
        {problem === null && at === null && "Asking…"}
        {stale && <strong>Not of now.</strong>}
        {problem !== null && (
          <>
            {" "}
            <strong>{problem.title}.</strong> {problem.detail}
          </>
        )}
      </span>
      {stale && <span> These figures are {duration(Math.round(age / 1000))} old.</span>}
    </div>
  );
}

/** A table with its name, which scrolls by itself where it is too wide. */
export function DataTable(props: {
  readonly caption: string;
  readonly head: readonly string[];
  readonly children: ComponentChildren;
}) {
  const { caption, head, children } = props;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="scrolls" aria-label={caption} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {head.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

/** One figure with its name. */
export function Figure(props: { readonly name: string; readonly value: string; readonly note?: string | undefined }) {
  return (
    <div class="figure">
      <dt>{props.name}</dt>
      <dd>
        {props.value}
        {props.note !== undefined && <small> {props.note}</small>}
      </dd>
    </div>
  );
}

/** A share of one as a bar and a number. */
export function Bar({ share, label }: { readonly share: number; readonly label: string }) {
  return <meter min={0} max={1} value={share} aria-label={label} />;
}
