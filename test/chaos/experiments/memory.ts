import { type Experiment, oneOfEach } from "../experiment.ts";
import { ask } from "../http.ts";

/** A process that was started takes about 60 MB of heap. */
const heapMb = 96;
const analysts = 4;

export const smallHeap: Experiment = {
  name: "small-heap",
  what: `an API process and a projector get a heap of ${heapMb} MB, and ${analysts} analysts read the whole log from it again and again`,
  heals: "it gets its memory back; where it died, the supervisor started it again",
  lasts: [10, 14],
  async inject(stack, random) {
    const chosen = oneOfEach(stack, random, "api", "projector");
    const [api] = chosen;
    for (const one of chosen) one.startWith({ NODE_OPTIONS: `--max-old-space-size=${heapMb}` });
    let reading = true;
    const read = async (): Promise<void> => {
      while (reading) {
        const answered = await ask(`${api?.url}/v1/events`, 5_000, { key: stack.key });
        if (answered?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const all = Promise.all(Array.from({ length: analysts }, read));
    return async () => {
      reading = false;
      await all;
      for (const one of chosen) one.startWith({});
    };
  },
};
