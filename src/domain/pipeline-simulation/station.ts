/** Servers in front of one queue, first come first served; work that is in hand while they pause goes on afterwards. */
export interface Station {
  /** Must be asked in order of time. */
  enter(atSeconds: number, workSeconds: number): Served;
  /** When work that begins at a time would end, with nobody else there. */
  endOf(fromSeconds: number, workSeconds: number): number;
  /** Seconds of work taken in, over all servers. */
  worked(): number;
  /** Work that is not done yet, seconds over all servers. */
  backlog(atSeconds: number): number;
}

export interface Served {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly server: number;
}

export interface Pause {
  readonly fromSeconds: number;
  readonly seconds: number;
}

/** Lindley's recurrence: in a first-come queue the end of service is known on arrival. `pauses` must not overlap. */
export function createStation(servers: number, pauses: readonly Pause[] = []): Station {
  const freeAt = new Float64Array(servers);
  const inOrder = [...pauses].sort((a, b) => a.fromSeconds - b.fromSeconds);
  let worked = 0;

  function endOf(fromSeconds: number, workSeconds: number): number {
    let end = fromSeconds + workSeconds;
    for (const { fromSeconds: from, seconds } of inOrder) {
      // What begins within a pause waits for what is left of it.
      if (fromSeconds >= from + seconds) continue;
      if (end <= from && fromSeconds < from) break;
      end += from + seconds - Math.max(from, fromSeconds);
    }
    return end;
  }

  return {
    endOf,
    enter(atSeconds, workSeconds) {
      let server = 0;
      for (let one = 1; one < servers; one += 1) if ((freeAt[one] as number) < (freeAt[server] as number)) server = one;
      const start = Math.max(atSeconds, freeAt[server] as number);
      const end = endOf(start, workSeconds);
      freeAt[server] = end;
      worked += workSeconds;
      return { startSeconds: start, endSeconds: end, server };
    },
    worked: () => worked,
    backlog: (atSeconds) => freeAt.reduce((sum, free) => sum + Math.max(0, free - atSeconds), 0),
  };
}
