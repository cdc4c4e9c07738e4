/** What happens to the call that is made to fail. */
export type FaultKind =
  /** It never reached the engine. */
  | "before"
  /** It took effect, but its answer was lost. */
  | "after"
  /** Half of a batch took effect. */
  | "torn";

export class InjectedFault extends Error {
  override readonly name = "InjectedFault";
}

export interface Faults {
  /** Calls seen so far, over all ports. */
  readonly calls: number;
  wrap<Port extends object>(port: Port): Port;
}

/** Makes the k-th call to any of the wrapped ports fail, and every later one too: the process is dead. k = 0: none. */
export function faultsAt(k: number, kind: FaultKind): Faults {
  let calls = 0;
  const dead = (): boolean => k > 0 && calls > k;
  return {
    get calls() {
      return calls;
    },
    wrap(port) {
      return new Proxy(port, {
        get(target, name, receiver) {
          const method: unknown = Reflect.get(target, name, receiver);
          if (typeof method !== "function") return method;
          return (...args: unknown[]): unknown => {
            calls += 1;
            if (dead()) return Promise.reject(new InjectedFault("the process is dead"));
            if (calls !== k) return method.apply(target, args);
            return fail(
              kind,
              () => method.apply(target, args),
              (half) => method.apply(target, half),
              args,
            );
          };
        },
      });
    },
  };
}

async function fail(
  kind: FaultKind,
  whole: () => unknown,
  part: (args: unknown[]) => unknown,
  [first, ...rest]: unknown[],
): Promise<never> {
  if (kind === "after") await whole();
  if (kind === "torn" && Array.isArray(first)) await part([first.slice(0, Math.ceil(first.length / 2)), ...rest]);
  throw new InjectedFault(`call failed ${kind} its effect`);
}

/** Lets other work go first for a random number of turns of the event loop, before and after each call. */
export function delayed<Port extends object>(port: Port, turns: () => number): Port {
  const wait = async (): Promise<void> => {
    for (let left = turns(); left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return new Proxy(port, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]): Promise<unknown> => {
        await wait();
        const result: unknown = await method.apply(target, args);
        await wait();
        return result;
      };
    },
  });
}
