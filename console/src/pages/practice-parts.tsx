import type { RefObject } from "preact";
import type { NextAnswer } from "../api/answers.ts";
import { duration, percent, rate } from "../model/format.ts";
import { worstOf } from "../model/lag.ts";
import { type Doing, type Done, visibleInWords } from "../model/practice.ts";
import { Chart } from "../parts/chart.tsx";
import { Bar, Staleness } from "../parts/notices.tsx";
import { useLag } from "../parts/use-lag.ts";

type Item = NextAnswer["items"][number];

const choices: readonly { readonly doing: Doing; readonly words: string }[] = [
  { doing: "right", words: "I had it right" },
  { doing: "wrong", words: "I had it wrong" },
  { doing: "hint", words: "I took a hint" },
  { doing: "skip", words: "Skip it" },
];

/** The item in hand, and those that would come after it. */
export function Question(props: {
  readonly item: Item;
  readonly after: readonly Item[];
  readonly headingRef: RefObject<HTMLHeadingElement | null>;
  readonly busy: boolean;
  readonly onDo: (doing: Doing) => void;
}) {
  const { item, after, headingRef, busy, onDo } = props;
  return (
    <section class="question" aria-label="The next item">
      <h2 ref={headingRef} tabIndex={-1} data-item={item.itemId}>
        {item.title}
      </h2>
      <p>
        {item.skills.map(({ title }) => title).join(", ")}. Predicted success{" "}
        <Bar share={item.p} label="Predicted success" /> {percent(item.p)}. {item.reason.text}.
      </p>
      {item.contentUri !== undefined && /^https?:/.test(item.contentUri) && (
        <p>
          <a href={item.contentUri} target="_blank" rel="noopener noreferrer">
            Open the item
          </a>
        </p>
      )}
      <fieldset disabled={busy} class="row">
        <legend>How did it go?</legend>
        {choices.map(({ doing, words }) => (
          <button key={doing} type="button" class={doing} onClick={() => onDo(doing)}>
            {words}
          </button>
        ))}
      </fieldset>
      {after.length > 0 && (
        <p>
          <small>Then: {after.map(({ title }) => title).join("; ")}</small>
        </p>
      )}
    </section>
  );
}

const wordsOf: Readonly<Record<Doing, string>> = {
  right: "right",
  wrong: "wrong",
  hint: "hint taken",
  skip: "skipped",
};

/** What each interaction changed, the newest first. */
export function WhatChanged({ done }: { readonly done: readonly Done[] }) {
  return (
    <section aria-label="What changed">
      {done.length > 0 && <h2>What changed</h2>}
      <div role="status">
        {done.slice(0, 1).map((one) => (
          <p key="latest">
            {one.title}: {wordsOf[one.doing]}, predicted {percent(one.p)}. It {visibleInWords(one.visibleMs)}.
          </p>
        ))}
      </div>
      <ul class="changes">
        {done[0]?.changes.map(({ skillId, title, before, after }) => (
          <li key={skillId}>
            {title}: {before === null ? "new" : percent(before)} → <b>{percent(after)}</b>{" "}
            <Bar share={after} label={`Mastery of ${title}`} />
          </li>
        ))}
      </ul>
      {done.length > 1 && (
        <ol class="earlier" aria-label="Before that">
          {done.slice(1).map((one, at) => (
            <li key={`${done.length - at} ${one.title}`}>
              {one.title}: {wordsOf[one.doing]} (predicted {percent(one.p)})
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** The lag, beside what causes it. */
export function LagNow() {
  const { polled, behind, flow } = useLag(true);
  const worst = polled.data === null ? null : worstOf(polled.data.projections);
  return (
    <section aria-label="Lag">
      <h2>Lag</h2>
      <Staleness polled={polled} />
      {worst !== null && (
        <p data-head={polled.data?.head}>
          {polled.data?.head} events in the log.{" "}
          {worst.name === null
            ? "Everything is folded in."
            : `${worst.name} is ${worst.events} events and ${duration(worst.seconds)} behind.`}
        </p>
      )}
      <div class="columns">
        <Chart title="Learners' events a second" series={flow} format={rate} />
        <Chart title="Seconds behind" series={behind} format={(value) => (value === null ? "-" : duration(value))} />
      </div>
    </section>
  );
}
