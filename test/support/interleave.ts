import { pick } from "./random.ts";

/** Steps in their order; a step may have to wait for another actor's. */
export type Script = readonly (() => Promise<void>)[];

/**
 * Runs the steps of several actors in a random order. A step is begun without waiting for the one before it, unless
 * that is the same actor's; so an actor that waits for a lock holds nobody else up. `between` runs now and then while
 * steps are under way, and once more when all are done.
 */
export async function interleave(
  random: () => number,
  scripts: readonly Script[],
  between: () => Promise<void>,
): Promise<void> {
  const actors = scripts.map((script) => ({ script, next: 0, busy: false }));
  const failures: unknown[] = [];
  let stepDone = Promise.withResolvers<void>();
  for (;;) {
    if (failures.length > 0) throw failures[0];
    const left = actors.filter((actor) => actor.next < actor.script.length);
    if (left.length === 0 && !actors.some((actor) => actor.busy)) break;
    if (random() < 0.25) await between();
    // Looked at after the last wait: who is busy now has a step that will end.
    const ready = left.filter((actor) => !actor.busy);
    if (ready.length === 0) {
      if (actors.some((actor) => actor.busy)) await stepDone.promise;
      continue;
    }
    const actor = pick(random, ready);
    const step = actor.script[actor.next++];
    if (step === undefined) continue;
    actor.busy = true;
    const finished = () => {
      actor.busy = false;
      stepDone.resolve();
      stepDone = Promise.withResolvers();
    };
    step()
      .catch((error: unknown) => failures.push(error))
      .finally(finished);
    // Half of the time others go on while this one is under way.
    if (random() < 0.5) await Promise.race([stepDone.promise, new Promise((resolve) => setTimeout(resolve, 1))]);
  }
  await between();
}
