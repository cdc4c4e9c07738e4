import { type ItemsServed, itemsServedSchema } from "../../domain/events.ts";
import type { SelectedItem, Stop } from "../../domain/item-selection/selection.ts";
import { servedStream } from "../../domain/streams.ts";
import type { EventStore } from "../../ports/event-store.ts";

/** A list that was given to a client, as the log has it. */
export interface Served {
  readonly list: ItemsServed;
  /** Milliseconds since 1970. */
  readonly servedAt: number;
  /** Of the event in the log. */
  readonly position: number;
}

/** Lists of one learner that are looked through for one. */
const searchedMax = 5_000;
const pageSize = 500;

/** The newest list served to a learner that fits, up to a position; null where none of the last 5,000 does. */
export async function lastServed(
  store: Pick<EventStore, "readStream">,
  learnerId: string,
  fits: (served: Served) => boolean,
): Promise<Served | null> {
  let from: number | undefined;
  for (let searched = 0; searched < searchedMax; searched += pageSize) {
    const events = await store.readStream(servedStream(learnerId), {
      ...{ direction: "backwards", limit: pageSize },
      ...(from === undefined ? {} : { from }),
    });
    for (const event of events) {
      const list = event.type === "ItemsServed" ? itemsServedSchema.safeParse(event.data) : null;
      if (list?.success !== true) continue;
      const served = { list: list.data, servedAt: Date.parse(event.recordedAt), position: event.position };
      if (fits(served)) return served;
    }
    const last = events.at(-1);
    if (events.length < pageSize || last === undefined || last.revision <= 1) return null;
    from = last.revision - 1;
  }
  return null;
}

export interface Reproduced {
  /** "exactly"; "differs", with what; or "not served": no such list was recorded, nothing to compare with. */
  readonly status: "exactly" | "differs" | "not served";
  readonly selectionId: string | null;
  readonly differences: readonly string[];
}

interface MadeAgain {
  readonly policyVersion: string;
  readonly model: string;
  readonly modelVersion: number;
  readonly revision: number;
  readonly items: readonly SelectedItem[];
  readonly stop: Stop | null;
}

/** The list made again beside the one that was served, to the digits that were recorded. */
export function comparedWith(served: Served | null, again: MadeAgain): Reproduced {
  if (served === null) return { status: "not served", selectionId: null, differences: [] };
  const { list } = served;
  const differences: string[] = [];
  const compare = (what: string, was: string | number, is: string | number): void => {
    if (was !== is) differences.push(`${what}: ${was} was served, ${is} is made again`);
  };
  compare("policy", list.policyVersion, again.policyVersion);
  compare("model", `${list.model} ${list.modelVersion}`, `${again.model} ${again.modelVersion}`);
  compare("revision", list.revision, again.revision);
  // Where a client excluded items, what was served is the list without them.
  const shown = new Set(list.items.map(({ itemId }) => itemId));
  const items = list.cut === true ? again.items.filter(({ itemId }) => shown.has(itemId)) : again.items;
  // Lists recorded before rules were name none.
  const namesRules = list.items.some(({ rules }) => rules !== undefined);
  list.items.forEach(({ itemId, p, propensity, reason, rules }, place) => {
    const one = items[place];
    const at = `place ${place + 1}`;
    compare(at, itemId, one?.itemId ?? "nothing");
    if (one?.itemId !== itemId) return;
    compare(`${at}, reason`, reason, one.reason.code);
    if (namesRules) compare(`${at}, rules`, named(rules), named(one.reason.rules));
    if (Math.abs(one.p - p) > 0.000_051) compare(`${at}, p`, p, one.p);
    if (Math.abs(one.propensity - propensity) > 0.002 * propensity + 2e-6) {
      compare(`${at}, propensity`, propensity, one.propensity);
    }
  });
  if (list.stop !== undefined) compare("stop", list.stop, again.stop?.reason ?? "none");
  const status = differences.length === 0 ? "exactly" : "differs";
  return { status, selectionId: list.selectionId, differences };
}

const named = (rules: readonly string[] | undefined): string => rules?.join(" ") ?? "none";
