import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { addCounts, loadLedger, saveLedger } from "../projections/freshness-ledger.ts";
import type { OnVisible } from "../projections/pipeline.ts";

export interface FreshnessRecorderDeps {
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly log: Log;
  readonly withinSeconds: number;
  /** Told of each answer that became visible, in seconds since its durable commit. */
  observe(seconds: number): void;
}

export interface FreshnessRecorder {
  /** For the pipelines that write the live rows. It costs the reading of a time for each event. */
  readonly onVisible: OnVisible;
  /** Adds what was counted to what is kept of each partition. What cannot be saved is tried again with the next. */
  save(): Promise<void>;
  /** Saves now and then until it is stopped, and then once more. Idempotent. */
  stop(): Promise<void>;
}

const saveEveryMs = 60_000;
const minuteMs = 60_000;

interface Counted {
  good: number;
  total: number;
}

/**
 * Counts how soon answers were visible to queries, by partition and minute, and keeps the counts beside the log: any process may
 * read them, and a restart forgets nothing but what a crash did not let it save.
 */
export function createFreshnessRecorder(deps: FreshnessRecorderDeps): FreshnessRecorder {
  const { blobs, clock, log, withinSeconds, observe } = deps;
  /** Not saved yet: by partition, then by minute. */
  let counted = new Map<number, Map<number, Counted>>();
  let saving: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | null = null;

  function countsOf(partition: number, minute: number): Counted {
    const minutes = counted.get(partition) ?? new Map<number, Counted>();
    counted.set(partition, minutes);
    const counts = minutes.get(minute) ?? { good: 0, total: 0 };
    minutes.set(minute, counts);
    return counts;
  }

  function onVisible(...[partition, steps]: Parameters<OnVisible>): void {
    const now = clock.now();
    const counts = countsOf(partition, Math.floor(now / minuteMs));
    let recordedAt = "";
    let seconds = 0;
    for (const { event, learner } of steps) {
      if (learner === null) continue;
      // Events of one commit have one time.
      if (event.recordedAt !== recordedAt) {
        recordedAt = event.recordedAt;
        seconds = Math.max(0, now - Date.parse(recordedAt)) / 1000;
      }
      counts.total += 1;
      if (seconds <= withinSeconds) counts.good += 1;
      observe(seconds);
    }
  }

  async function saveNow(): Promise<void> {
    const taken = counted;
    counted = new Map();
    for (const [partition, minutes] of taken) {
      try {
        let ledger = await loadLedger(blobs, partition, withinSeconds);
        for (const [minute, counts] of minutes) ledger = addCounts(ledger, minute, counts);
        await saveLedger(blobs, partition, ledger);
      } catch (err) {
        log.warn({ err, partition }, "how fresh answers were could not be saved, will try again");
        for (const [minute, { good, total }] of minutes) {
          const counts = countsOf(partition, minute);
          counts.good += good;
          counts.total += total;
        }
      }
    }
  }

  const save = (): Promise<void> => {
    saving = saving.then(saveNow);
    return saving;
  };
  const timer = setInterval(() => void save(), saveEveryMs);
  timer.unref();
  return {
    onVisible,
    save,
    stop() {
      clearInterval(timer);
      stopped ??= save();
      return stopped;
    },
  };
}
