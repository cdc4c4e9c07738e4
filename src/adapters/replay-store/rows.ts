import {
  type ClaimedReplay,
  type Replay,
  type ReplayOutcome,
  type ReplayState,
  replayStates,
} from "../../ports/replay-store.ts";

/**
 * A row of both SQL engines: number, id, kind, input, idempotency key, requested by, created, state, attempts, started,
 * ended, done, total, summary, error, and the files as JSON: [[name, media type, bytes], ...]. Times in milliseconds.
 */
export function toReplay(row: readonly (string | null | undefined)[]): Replay {
  const [number, id, kind, input, idempotencyKey, requestedBy, createdAt, state, attempts, startedAt, endedAt] = row;
  const [done, total, summary, error, files] = row.slice(11);
  const known = replayStates.find((one) => one === state);
  if (known === undefined) throw new Error(`no state of a replay is called ${state}`);
  return {
    ...{ number: Number(number), id: id ?? "", kind: kind ?? "", input: jsonOf(input), state: known },
    ...{ idempotencyKey: idempotencyKey ?? null, requestedBy: requestedBy ?? null, createdAt: timeOf(createdAt) ?? 0 },
    ...{ attempts: Number(attempts), startedAt: timeOf(startedAt), endedAt: timeOf(endedAt) },
    progress:
      typeof done === "string" ? { done: Number(done), total: typeof total === "string" ? Number(total) : null } : null,
    ...{ summary: jsonOf(summary), error: error ?? null },
    files: (JSON.parse(files ?? "[]") as [string, string, number][]).map(([name, mediaType, bytes]) => ({
      ...{ name, mediaType, bytes },
    })),
  };
}

const timeOf = (milliseconds: string | null | undefined): number | null =>
  typeof milliseconds === "string" ? Math.round(Number(milliseconds)) : null;

const jsonOf = (text: unknown): unknown => (typeof text === "string" ? JSON.parse(text) : null);

export function byStateOf(counted: readonly (readonly [state: string, n: number])[]): Record<ReplayState, number> {
  const counts = new Map(counted);
  return Object.fromEntries(replayStates.map((state) => [state, counts.get(state) ?? 0])) as Record<
    ReplayState,
    number
  >;
}

/** What its worker is handed: the replay, and of its claim the number, the tries since the last checkpoint, and that, as JSON. */
export function claimedOf(
  { id, kind, input, files }: Replay,
  attempts: unknown,
  tries: unknown,
  checkpoint: unknown,
): ClaimedReplay {
  const numbers = { attempt: Number(attempts), tries: Number(tries) };
  return { ...{ id, kind, input, files }, ...numbers, resumeFrom: jsonOf(checkpoint) };
}

/** State, summary and error as they are stored. */
export const endOf = (outcome: ReplayOutcome): [state: string, summary: string | null, error: string | null] =>
  outcome.state === "done"
    ? ["done", JSON.stringify(outcome.summary ?? null), null]
    : [outcome.state, null, outcome.error];
