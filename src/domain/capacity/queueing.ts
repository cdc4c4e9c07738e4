/** Waiting in front of servers: closed forms, for the planner's headroom and as what simulations are held against. */

/**
 * Erlang C: the share of arrivals that find all servers busy, M/M/c. `offered` is arrival rate x service time, and must be
 * below `servers`. Through Erlang B's recurrence, which does not overflow. Source: Kleinrock, Queueing Systems I (1975), 3.8.
 */
export function erlangC(servers: number, offered: number): number {
  if (!(offered >= 0) || offered >= servers) return offered >= servers ? 1 : Number.NaN;
  let blocked = 1;
  for (let n = 1; n <= servers; n += 1) blocked = (offered * blocked) / (n + offered * blocked);
  return blocked / (1 - (offered / servers) * (1 - blocked));
}

export interface Station {
  readonly servers: number;
  /** Arrivals a second. */
  readonly rate: number;
  /** Mean time of a service, seconds. */
  readonly serviceSeconds: number;
  /** Squared coefficients of variation (variance / mean^2): 1 is exponential, 0 constant. Default 1. */
  readonly arrivalCv2?: number;
  readonly serviceCv2?: number;
}

export const utilisationOf = ({ servers, rate, serviceSeconds }: Station): number => (rate * serviceSeconds) / servers;

/**
 * Mean wait before service, seconds; Infinity from full load on. Exact for M/M/c, and for M/G/1 (Pollaczek and Khinchine);
 * else the approximation of Allen and Cunneen, M/M/c's wait times (ca^2 + cs^2) / 2, of which Kingman's bound is the case
 * of one server.
 */
export function meanWait(station: Station): number {
  const { servers, rate, serviceSeconds, arrivalCv2 = 1, serviceCv2 = 1 } = station;
  const utilisation = utilisationOf(station);
  if (utilisation >= 1) return Number.POSITIVE_INFINITY;
  const wait = (erlangC(servers, rate * serviceSeconds) * serviceSeconds) / (servers * (1 - utilisation));
  return (wait * (arrivalCv2 + serviceCv2)) / 2;
}

/**
 * The wait that a share `q` of arrivals does not exceed, seconds. Exact for M/M/c, where the tail is
 * P(W > t) = C exp(-(c mu - rate) t); else the same tail stretched as the mean is (heavy-traffic limit of Kingman).
 */
export function waitQuantile(station: Station, q: number): number {
  const { servers, rate, serviceSeconds, arrivalCv2 = 1, serviceCv2 = 1 } = station;
  if (utilisationOf(station) >= 1) return Number.POSITIVE_INFINITY;
  const busy = erlangC(servers, rate * serviceSeconds);
  if (busy <= 1 - q) return 0;
  const tail = (serviceSeconds / (servers - rate * serviceSeconds)) * ((arrivalCv2 + serviceCv2) / 2);
  return tail * Math.log(busy / (1 - q));
}

export interface Objective {
  /** A share of arrivals, like .99, that waits no longer than so many seconds. */
  readonly quantile: number;
  readonly waitSeconds: number;
  /** Load of each server at the most, below 1. */
  readonly utilisationMax: number;
}

/** The fewest servers, each with its own queue and an equal share of the arrivals, that meet an objective: M/G/1 each. */
export function serversFor(station: Omit<Station, "servers">, objective: Objective): number {
  const { rate, serviceSeconds } = station;
  const meets = (servers: number): boolean => {
    const each = { ...station, servers: 1, rate: rate / servers };
    return (
      utilisationOf(each) <= objective.utilisationMax && waitQuantile(each, objective.quantile) <= objective.waitSeconds
    );
  };
  let servers = Math.max(1, Math.ceil((rate * serviceSeconds) / objective.utilisationMax - 1e-9));
  // The wait falls with every server, to nothing: this ends, and after few steps.
  while (!meets(servers)) servers += Math.max(1, Math.floor(servers / 50));
  return servers;
}
