import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import {
  type ClaimedReplay,
  ReplayClaimLost,
  type ReplayOutcome,
  type ReplayProgress,
  type ReplayStore,
} from "../../ports/replay-store.ts";
import { type ReplayKind, ReplayRefused } from "./replay-kind.ts";
import { createRun } from "./run.ts";

export interface RunReplayDeps {
  readonly store: ReplayStore;
  readonly kinds: readonly ReplayKind<unknown>[];
  readonly clock: Clock;
  readonly log: Log;
  /** A worker that says nothing for so long is dead. A kind that never lets others have a turn is taken for dead too. */
  readonly leaseMs?: number;
  /** How often it says that it lives, and how far it is. */
  readonly keepMs?: number;
}

/**
 * "nothing": it was not due. "given up": the worker had to go, or something failed that may pass; it is due again. "lost": it
 * was cancelled or removed meanwhile, or another took it over.
 */
export type RunOutcome = "nothing" | "done" | "failed" | "given up" | "lost";

/** Turns without a checkpoint between them, before it counts as failed. */
const triesMax = 3;
/** Pause before another turn after a failure, doubled for each one after. */
const retryMs = 5_000;

/** One turn of a replay: from its last checkpoint to its end, or to where `leaving` or trouble cuts it off. */
export async function runReplay(deps: RunReplayDeps, id: string, leaving: AbortSignal): Promise<RunOutcome> {
  const { store, clock, log, leaseMs = 30_000, keepMs = 1_000 } = deps;
  const claim = await store.claim(id, clock.now(), clock.now() + leaseMs);
  if (claim === null) return "nothing";
  const keeper = keepClaim({ ...deps, leaseMs, keepMs }, claim);
  const told = { replay: id, kind: claim.kind, attempt: claim.attempt };
  const startedAt = clock.now();
  log.info({ ...told, resumed: claim.resumeFrom !== null }, "a replay begins");
  try {
    const outcome = await outcomeOf(deps, claim, keeper, leaving);
    await keeper.end();
    await store.finish(claim, outcome, clock.now());
    const ms = clock.now() - startedAt;
    if (outcome.state === "done") log.info({ ...told, ms }, "a replay is done");
    else log.warn({ ...told, ms, why: outcome.error }, "a replay failed");
    return outcome.state;
  } catch (error) {
    await keeper.end().catch(() => undefined);
    if (keeper.lost.aborted || error instanceof ReplayClaimLost) {
      log.info(told, "a replay was cancelled, or goes on elsewhere");
      return "lost";
    }
    const excused = leaving.aborted;
    const dueAt = clock.now() + (excused ? 0 : retryMs * 2 ** (claim.tries - 1));
    if (!excused) log.warn({ ...told, err: error, dueAt }, "a replay met trouble and is tried again");
    else log.info(told, "a replay was given up: another worker goes on with it");
    await store.release(claim, dueAt, excused);
    return "given up";
  }
}

type Keeper = ReturnType<typeof keepClaim>;

/** Rejects where another turn makes sense. */
async function outcomeOf(
  { kinds, store }: RunReplayDeps,
  claim: ClaimedReplay,
  keeper: Keeper,
  leaving: AbortSignal,
): Promise<ReplayOutcome> {
  const failed = (error: string): ReplayOutcome => ({ state: "failed", error: error.slice(0, 2000) });
  const kind = kinds.find((one) => one.kind === claim.kind);
  if (kind === undefined) return failed(`no kind of replay is called ${claim.kind}`);
  const input = kind.input.safeParse(claim.input);
  if (!input.success) return failed(`its input is not what ${claim.kind} takes now: ${input.error.message}`);
  if (claim.tries > triesMax) return failed(`its worker ended ${triesMax} times without getting further`);
  const signal = AbortSignal.any([leaving, keeper.lost]);
  const run = createRun({
    ...{ id: claim.id, signal, resumeFrom: claim.resumeFrom, files: claim.files },
    target: {
      addFile: (name, mediaType) => store.addFile(claim, name, mediaType),
      append: (name, offset, bytes) => store.append(claim, name, offset, bytes),
      checkpoint: (state) => store.checkpoint(claim, state),
    },
    onProgress: (done, total) => keeper.progress({ done, total }),
  });
  try {
    const summary = await kind.run(input.data, run);
    signal.throwIfAborted();
    await run.flush();
    return { state: "done", summary };
  } catch (error) {
    if (error instanceof ReplayRefused) return failed(error.message);
    if (signal.aborted || error instanceof ReplayClaimLost || claim.tries < triesMax) throw error;
    return failed(error instanceof Error ? error.message : String(error));
  }
}

type Keeping = Pick<RunReplayDeps, "store" | "clock" | "log"> & Required<Pick<RunReplayDeps, "leaseMs" | "keepMs">>;

/** Says again and again that the worker lives. `lost` aborts when the claim is another's, or the store was away for too long. */
function keepClaim({ store, clock, log, leaseMs, keepMs }: Keeping, claim: ClaimedReplay) {
  const lost = new AbortController();
  let progress: ReplayProgress | null = null;
  let until = clock.now() + leaseMs;
  let saying: Promise<void> | null = null;

  async function say(): Promise<void> {
    const next = clock.now() + leaseMs;
    const said = progress;
    progress = null;
    try {
      await store.keep(claim, next, said);
      until = next;
    } catch (error) {
      progress ??= said;
      if (error instanceof ReplayClaimLost || clock.now() > until) lost.abort(error);
      else log.warn({ replay: claim.id, err: error }, "a replay's claim could not be kept; tried again");
    }
  }
  const sayOnce = (): Promise<void> => {
    saying ??= say().finally(() => {
      saying = null;
    });
    return saying;
  };
  const timer = setInterval(() => void sayOnce(), keepMs);

  return {
    lost: lost.signal,
    progress(now: ReplayProgress): void {
      progress = now;
    },
    /** Once more, with the last progress. */
    async end(): Promise<void> {
      clearInterval(timer);
      await saying;
      if (!lost.signal.aborted) await say();
      lost.signal.throwIfAborted();
    },
  };
}
