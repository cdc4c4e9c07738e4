import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ReadModels } from "../ports/read-models.ts";
import { type Asked, askedField, decodeAsked, encodeAsked, hotKey, nextField } from "../projections/rows.ts";
import type { LiveViewReader } from "./live-view.ts";
import { newLearnerWindow } from "./new-learner.ts";
import { type HeldPopular, popularName } from "./popular.ts";
import type { RowCache } from "./row-cache.ts";

export interface HotRowsDeps {
  readonly readModels: ReadModels;
  readonly liveView: LiveViewReader;
  readonly rows: RowCache;
  readonly popular: HeldPopular;
  readonly catalogue: CatalogueReader;
  readonly clock: Clock;
  readonly log: Log;
}

export interface HotRows {
  /**
   * Reads what was asked for most into memory: popular lists first, then the lists of learners, as many as there is time
   * for. Resolves when it is done, when the time is over, or at the first trouble; never rejects.
   */
  warmUp(limitMs: number): Promise<void>;
  /** Writes down what is in memory, after what others wrote. Rejects with ReadModelsUnavailable. */
  note(): Promise<void>;
  /** Does so every half minute, until what it returns is called. */
  noteAgainAndAgain(): () => void;
}

const noteMs = 30_000;
/** Learners and lists that are noted. */
const learnersMax = 5_000;
const listsMax = 200;
/** Learners read in one round trip. */
const pageSize = 250;

/**
 * What queries are asked for most, kept in one small row that every process that answers adds to and that a new one reads,
 * so that its first requests find as much in memory as those of the others.
 */
export function createHotRows(deps: HotRowsDeps): HotRows {
  const { readModels, liveView, rows, popular, catalogue, clock, log } = deps;

  async function warm(until: number): Promise<{ learners: number; popular: number }> {
    const view = await liveView.current();
    const bytes = view === null ? null : await readModels.get(hotKey, askedField);
    if (view === null) return { learners: 0, popular: 0 };
    const asked: Asked = bytes === null ? { learners: [], popular: [] } : decodeAsked(bytes);
    // What new learners are given, whoever asked for it.
    const tracks = [...catalogue.catalogue.tracks.values()].filter(({ retired }) => !retired);
    const ofTracks = tracks.map(({ trackId }) => popularName(`track:${trackId}`, newLearnerWindow));
    const all = new Set([popularName("all", newLearnerWindow), ...asked.popular, ...ofTracks]);
    const names = [...all].slice(0, listsMax);
    await popular.warm(names);
    let learners = 0;
    while (learners < asked.learners.length && performance.now() < until) {
      const page = asked.learners.slice(learners, learners + pageSize);
      await rows.getMany(view.namespace, page, nextField("practice"));
      learners += page.length;
    }
    return { learners, popular: names.length };
  }

  async function note(): Promise<void> {
    const mine: Asked = { learners: rows.hottest(learnersMax), popular: popular.names().slice(0, listsMax) };
    if (mine.learners.length === 0) return;
    const [row] = await readModels.read([hotKey], [askedField]);
    const bytes = row?.fields.get(askedField);
    const others: Asked = bytes === undefined ? { learners: [], popular: [] } : decodeAsked(bytes);
    const first = (names: readonly string[], more: readonly string[], max: number): string[] =>
      [...new Set([...names, ...more])].slice(0, max);
    const asked = {
      learners: first(mine.learners, others.learners, learnersMax),
      popular: first(mine.popular, others.popular, listsMax),
    };
    const version = row?.version ?? 0;
    const to = Math.max(version + 1, clock.now());
    // Refused, where another has just noted the same hour.
    await readModels.write([{ key: hotKey, from: version, to, set: new Map([[askedField, encodeAsked(asked)]]) }]);
  }

  return {
    note,
    async warmUp(limitMs) {
      const startedAt = performance.now();
      const late = new Promise<null>((resolve) => void setTimeout(resolve, limitMs, null).unref());
      try {
        const read = await Promise.race([warm(startedAt + limitMs), late]);
        const ms = Math.round(performance.now() - startedAt);
        if (read === null)
          log.warn({ ms }, "rows could not be read into memory in time; they are read as they are asked for");
        else log.info({ ...read, ms }, "rows asked for most read into memory");
      } catch (err) {
        log.warn({ err }, "rows could not be read into memory; they are read as they are asked for");
      }
    },
    noteAgainAndAgain() {
      const timer = setInterval(() => {
        note().catch((err: unknown) => log.debug({ err }, "what is asked for most could not be noted"));
      }, noteMs);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}
