import { currentSchemaVersion, type EventMetadata } from "../domain/events.ts";
import { type Catalogue, streamRevision } from "../domain/item-bank/catalogue.ts";
import type { CatalogueEvent, Decision } from "../domain/item-bank/decision.ts";
import { itemStream, skillStream, trackStream } from "../domain/streams.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { AppendRequest, EventStore } from "../ports/event-store.ts";
import { createMutex, type Mutex } from "./mutex.ts";
import type { Refusal } from "./refusal.ts";

export interface CatalogueCommandDeps {
  readonly eventStore: Pick<EventStore, "append">;
  readonly catalogue: CatalogueReader;
  readonly clock: Clock;
  /** UUIDs. */
  readonly randomId: () => string;
}

/** Where a command came from; goes into the metadata of its events. */
export interface CommandContext {
  readonly traceparent?: string | undefined;
  readonly apiKeyId?: string | undefined;
}

export type CatalogueOutcome =
  | {
      readonly index: number;
      readonly id: string;
      /** published: new, or back from retirement. unchanged: it stood so already. */
      readonly status: "published" | "revised" | "unchanged" | "retired";
    }
  | { readonly index: number; readonly id: string | null; readonly status: "refused"; readonly problem: Refusal };

/** A command fit to be decided. `index`: its place among those sent. */
export interface Ready<C> {
  readonly index: number;
  readonly id: string;
  readonly command: C;
}

/** Decides commands sent together against what the catalogue says, in order; a decision for each. */
export type Decide<C> = (commands: readonly C[], catalogue: Catalogue) => readonly Decision[];

/** Times a command that lost a race is decided afresh. */
const attemptsMax = 8;
/** Requests in one append. */
const appendMax = 1_000;

/** Commands on one log wait for each other within a process: they would only lose races against themselves. */
const mutexes = new WeakMap<object, Mutex>();

/**
 * Load, decide, append: and the only place where a lost race is retried. Each command stands for itself, with the
 * stream revision it was decided on as the expected one; where another process was faster, the catalogue catches up
 * and only those that lost are decided again. Resolves, with an outcome for each, when everything decided is durable
 * and `deps.catalogue` says it (read your writes). Rejects where the log cannot answer; what was stored by then is
 * not known, and the whole call may be repeated: what stands already is "unchanged".
 */
export function handle<C>(
  deps: CatalogueCommandDeps,
  commands: readonly Ready<C>[],
  decide: Decide<C>,
  context: CommandContext,
): Promise<CatalogueOutcome[]> {
  if (commands.length === 0) return Promise.resolve([]);
  return mutexOf(deps.eventStore)(() => handleAlone(deps, commands, decide, context));
}

async function handleAlone<C>(
  deps: CatalogueCommandDeps,
  commands: readonly Ready<C>[],
  decide: Decide<C>,
  context: CommandContext,
): Promise<CatalogueOutcome[]> {
  const outcomes: CatalogueOutcome[] = [];
  let left = commands;
  // What another process has just published must not be refused here as unknown.
  await deps.catalogue.catchUp();
  for (let attempt = 1; left.length > 0 && attempt <= attemptsMax; attempt++) {
    const plans = planAll(left, decide, deps, context);
    const lost = await append(deps, plans, outcomes);
    await deps.catalogue.catchUp();
    left = lost;
  }
  for (const { index, id } of left) {
    const detail = `it was changed by others ${attemptsMax} times while this was decided; send it again`;
    outcomes.push({ index, id, status: "refused", problem: { code: "conflict", detail, errors: [] } });
  }
  return outcomes;
}

interface Plan<C> {
  readonly ready: Ready<C>;
  readonly outcome: CatalogueOutcome;
  /** null: nothing to store. */
  readonly request: AppendRequest | null;
}

function planAll<C>(
  commands: readonly Ready<C>[],
  decide: Decide<C>,
  deps: CatalogueCommandDeps,
  context: CommandContext,
): Plan<C>[] {
  const { catalogue } = deps.catalogue;
  const decisions = decide(
    commands.map(({ command }) => command),
    catalogue,
  );
  const metadata = metadataOf(context);
  const recordedAt = new Date(deps.clock.now()).toISOString();
  const planned = new Map<string, number>();
  return commands.map((ready, at) => {
    const decision = decisions[at];
    if (decision === undefined) throw new Error(`${decisions.length} decisions for ${commands.length} commands`);
    const outcome = outcomeOf(ready, decision);
    if (decision.status === "refused" || decision.status === "unchanged") return { ready, outcome, request: null };
    const place = placeOf(decision.events[0], catalogue);
    const revision = planned.get(place.stream) ?? place.revision;
    planned.set(place.stream, revision + decision.events.length);
    const events = decision.events.map((event) => ({ ...event, eventId: deps.randomId(), metadata, recordedAt }));
    const expected = revision === 0 ? "none" : revision;
    return { ready, outcome, request: { stream: place.stream, expected, events } };
  });
}

/** Stores what was decided, adds the outcomes, and returns the commands that lost a race. */
async function append<C>(
  { eventStore }: CatalogueCommandDeps,
  plans: readonly Plan<C>[],
  outcomes: CatalogueOutcome[],
): Promise<Ready<C>[]> {
  const lost: Ready<C>[] = [];
  const toStore = plans.flatMap((plan) => {
    if (plan.request !== null) return [{ ...plan, request: plan.request }];
    outcomes.push(plan.outcome);
    return [];
  });
  for (let from = 0; from < toStore.length; from += appendMax) {
    const chunk = toStore.slice(from, from + appendMax);
    const results = await eventStore.append(chunk.map(({ request }) => request));
    for (const [at, plan] of chunk.entries()) {
      if (results[at]?.status === "appended" || results[at]?.status === "duplicate") outcomes.push(plan.outcome);
      else lost.push(plan.ready);
    }
  }
  return lost;
}

function placeOf(event: CatalogueEvent, catalogue: Catalogue): { stream: string; revision: number } {
  if ("itemId" in event.data) {
    const stream = itemStream(event.data.itemId);
    return { stream, revision: streamRevision(catalogue, catalogue.items, stream) };
  }
  if ("skillId" in event.data) {
    const stream = skillStream(event.data.skillId);
    return { stream, revision: streamRevision(catalogue, catalogue.skills, stream) };
  }
  const stream = trackStream(event.data.trackId);
  return { stream, revision: streamRevision(catalogue, catalogue.tracks, stream) };
}

function outcomeOf<C>({ index, id }: Ready<C>, decision: Decision): CatalogueOutcome {
  if (decision.status !== "refused") return { index, id, status: decision.status };
  const { code, detail, path } = decision;
  return { index, id, status: "refused", problem: { code, detail, errors: [{ path, message: detail }] } };
}

function metadataOf({ traceparent, apiKeyId }: CommandContext): EventMetadata {
  return {
    schemaVersion: currentSchemaVersion,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(apiKeyId === undefined ? {} : { apiKeyId }),
  };
}

function mutexOf(eventStore: object): Mutex {
  const known = mutexes.get(eventStore);
  if (known !== undefined) return known;
  const mutex = createMutex();
  mutexes.set(eventStore, mutex);
  return mutex;
}
