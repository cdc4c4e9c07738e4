import type { Log } from "../ports/log.ts";
import type { Lifecycle } from "./lifecycle.ts";

/** A start after a crash folds some so many events again: a few seconds' work. */
const eventsBetweenSaves = 20_000;
/** So many are too many to fold again, whatever saving costs. */
const eventsUnsavedMax = 60_000;
/** When nothing comes in, fewer are reason enough. */
const eventsWhenQuiet = 1000;
/** Between two saves lies so many times what the last one took, if it can: saving is a tenth of the time then. */
const restAfterSave = 9;
const lookEveryMs = 500;

/** Saves every few minutes and every so many events, so that a start after a crash is short. */
export function saveNowAndThen(options: {
  readonly save: () => Promise<void>;
  readonly projector: { position(): number | null };
  readonly everyMs: number;
  readonly life: Lifecycle;
  readonly log: Log;
}): Promise<unknown> {
  const { save, projector, everyMs, life, log } = options;
  let savedAt = performance.now();
  let savedPosition = projector.position() ?? 0;
  let lastSaveMs = 0;
  let lastLook = 0;
  let saving = false;
  async function look(): Promise<void> {
    const position = projector.position() ?? 0;
    const startedAt = performance.now();
    const since = startedAt - savedAt;
    const done = position - savedPosition;
    const quiet = position === lastLook && done >= eventsWhenQuiet;
    const many = done >= eventsBetweenSaves && since >= restAfterSave * lastSaveMs;
    const atOnce = (quiet || done >= eventsUnsavedMax) && since >= lastSaveMs;
    lastLook = position;
    if (saving || done === 0 || !(many || atOnce || since >= everyMs)) return;
    saving = true;
    try {
      await save();
      savedAt = performance.now();
      lastSaveMs = savedAt - startedAt;
      savedPosition = position;
    } catch (err) {
      log.warn({ err }, "read models not saved; a start after a crash would take longer");
    } finally {
      saving = false;
    }
  }
  return life.acquire("saving", () => setInterval(() => void look(), lookEveryMs), clearInterval);
}
