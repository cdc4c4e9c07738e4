import { idOf, learnerStream } from "../domain/streams.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventStore, StoredEvent } from "../ports/event-store.ts";
import type { Log } from "../ports/log.ts";
import type { ParkedInPartition } from "../projections/parked-rows.ts";
import type { RetryResult } from "../projections/parking.ts";
import type { Pipelines } from "../projections/pipelines.ts";
import type { RebuildProgress, Rebuilt } from "../projections/rebuild.ts";
import { retryHere, retryPatienceMs } from "./retry-here.ts";

/** They have one pipeline and one checkpoint, so they are rebuilt together, by whichever name. */
export const rebuildableNames = ["learners", "learner-scores", "next-items", "popular-items", "item-stats"] as const;

export interface ParkedLearner {
  readonly learnerId: string;
  readonly partition: number;
  /** Of the first event that is not folded in. */
  readonly revision: number;
  readonly position: number;
  readonly error: string;
  /** ISO 8601. */
  readonly at: string;
  readonly attempts: number;
}

/** A parked learner with the event they wait at, as it is stored; null where the log has it no more. */
export interface ParkedInspection extends ParkedLearner {
  readonly event: StoredEvent | null;
}

export type RetryOutcome =
  | { readonly status: "retried" }
  | { readonly status: "not_parked" }
  | { readonly status: "still_failing"; readonly error: string };

export interface RebuildReport {
  readonly name: string;
  /** `waiting`: for a process that takes it up; only where several may. */
  readonly status: "waiting" | "running" | "done" | "failed";
  readonly events: number;
  /** Log position reached. */
  readonly position: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** Whether the rebuilt rows equal the ones before; null while not known, and for a rollback. */
  readonly identical: boolean | null;
  /** Rows that did not: how many, and the first few. */
  readonly different: number;
  readonly differing: readonly string[];
  /** Rows before that waited for their projector, and were not compared at the same event. */
  readonly behind: number;
  readonly error: string | null;
}

/** What operators can do with the projections of learners and items. */
export interface ProjectorOperations {
  parked(): Promise<readonly ParkedLearner[]>;
  /** Null for a learner who is not parked. */
  inspect(learnerId: string): Promise<ParkedInspection | null>;
  retry(learnerId: string): Promise<RetryOutcome>;
  readonly rebuildable: readonly string[];
  /**
   * Starts a rebuild, or a rollback to the rows before the last switch; or tells of what runs already. Rejects for a name
   * that is not rebuildable.
   */
  rebuild(name: string, options?: { readonly rollback?: boolean }): Promise<RebuildReport>;
  /** The last or running rebuild; null where none is known. */
  rebuildStatus(name: string): Promise<RebuildReport | null>;
}

/** The projector, as far as operators reach into it. */
export interface Operated {
  parked(): ReturnType<Pipelines["parked"]>;
  retry(learnerId: string): Promise<RetryResult>;
  rebuild(onProgress: (progress: RebuildProgress) => void): Promise<Rebuilt>;
  rollBack(onProgress: (progress: RebuildProgress) => void): Promise<Rebuilt>;
}

export function createProjectorOperations(
  projector: Operated,
  { store, clock, log }: { readonly store: Pick<EventStore, "readStream">; readonly clock: Clock; readonly log: Log },
): ProjectorOperations {
  let report: RebuildReport | null = null;
  const now = (): string => new Date(clock.now()).toISOString();

  async function follow(running: RebuildReport, work: Operated["rebuild"]): Promise<void> {
    let latest = running;
    const tell = (news: Partial<RebuildReport>): void => {
      latest = { ...latest, ...news };
      report = latest;
    };
    try {
      const done = await work(({ events, position }) => tell({ events, position }));
      tell({ status: "done", ...reportOf(done), finishedAt: now() });
      if (latest.identical === false) log.warn({ ...reportOf(done) }, "rebuilt rows differ from the ones before");
    } catch (err) {
      tell({ status: "failed", error: err instanceof Error ? err.message : String(err), finishedAt: now() });
      log.error({ err }, "rebuild failed; the rows before stay in use");
    }
  }

  return {
    rebuildable: rebuildableNames,
    ...createParkedReads(async () => projector.parked(), store),
    retry: async (learnerId) => outcomeOf(await retryHere(projector, learnerId, retryPatienceMs)),
    async rebuild(name, { rollback = false } = {}) {
      mustBeRebuildable(name);
      if (report?.status === "running") return report;
      const running = newReport(name, "running", now());
      report = running;
      void follow(running, rollback ? projector.rollBack : projector.rebuild);
      return running;
    },
    rebuildStatus: async () => report,
  };
}

export function mustBeRebuildable(name: string): void {
  if (!(rebuildableNames as readonly string[]).includes(name)) throw new Error(`${name} cannot be rebuilt`);
}

/** What is shown of those whom `parked` tells of. */
export function createParkedReads(
  parked: () => Promise<readonly ParkedInPartition[]>,
  store: Pick<EventStore, "readStream">,
): Pick<ProjectorOperations, "parked" | "inspect"> {
  const shown = ({ partition, parked: { stream, ...rest } }: ParkedInPartition): ParkedLearner => ({
    ...{ learnerId: idOf(stream), partition },
    ...rest,
  });
  return {
    parked: async () => (await parked()).map(shown),
    async inspect(learnerId) {
      const stream = learnerStream(learnerId);
      const found = (await parked()).find((one) => one.parked.stream === stream);
      if (found === undefined) return null;
      const { revision } = found.parked;
      const [event] = await store.readStream(stream, { from: revision, limit: 1 });
      return { ...shown(found), event: event?.revision === revision ? event : null };
    },
  };
}

export function outcomeOf(result: RetryResult): RetryOutcome {
  if (result.status === "still_parked") return { status: "still_failing", error: result.parked.error };
  return { status: result.status === "released" ? "retried" : "not_parked" };
}

export const newReport = (name: string, status: RebuildReport["status"], startedAt: string): RebuildReport => ({
  ...{ name, status, events: 0, position: 0, startedAt, finishedAt: null },
  ...{ identical: null, different: 0, differing: [], behind: 0, error: null },
});

export function reportOf({
  events,
  position,
  comparison,
}: Rebuilt): Pick<RebuildReport, "events" | "position" | "identical" | "different" | "differing" | "behind"> {
  if (comparison === null) return { events, position, identical: null, different: 0, differing: [], behind: 0 };
  const { different, differing, behind } = comparison;
  return { events, position, identical: different === 0 && behind === 0, different, differing, behind };
}
