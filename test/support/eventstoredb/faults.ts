/** What the test server is to get wrong from now on. Counts are of calls it is still to happen to. */
export interface Faults {
  /** Appends are answered UNAVAILABLE, nothing stored. The batch they came in ends with it, as at the real server. */
  unavailableAppends: number;
  /** Reads are answered UNAVAILABLE. */
  unavailableReads: number;
  /** Subscriptions are answered UNAVAILABLE when they begin. */
  unavailableSubscriptions: number;
  /** Appends are stored, and never answered. */
  lostReplies: number;
  /** Appends are stored, and the connection is cut before the answer. */
  cutReplies: number;
  /** Appends are stored, and answered so much later, milliseconds. */
  lateReplies: number;
  lateByMs: number;
  /** Appends are answered twice, the second time when nobody asks any more. */
  doubleReplies: number;
  /** Appends are answered with a wrong expected version, whatever they expected; nothing is stored. */
  wrongVersions: number;
  /** Subscriptions that have something to say say nothing, and never will again. */
  silent: boolean;
  /** Subscriptions send each event twice. */
  doubleEvents: boolean;
  /** Answers of idempotent appends have no position, as those of older servers. */
  noPositionForRepeats: boolean;
  /** Which node is the leader; the others answer NOT_LEADER to whoever requires it. */
  leader: number;
}

export const noFaults = (): Faults => ({
  unavailableAppends: 0,
  unavailableReads: 0,
  unavailableSubscriptions: 0,
  lostReplies: 0,
  cutReplies: 0,
  lateReplies: 0,
  lateByMs: 0,
  doubleReplies: 0,
  wrongVersions: 0,
  silent: false,
  doubleEvents: false,
  noPositionForRepeats: false,
  leader: 0,
});

type Count = { [K in keyof Faults]: Faults[K] extends number ? K : never }[keyof Faults];

/** Whether it happens to this call; one fewer to come if so. */
export function happens(faults: Faults, fault: Count): boolean {
  if (faults[fault] <= 0) return false;
  faults[fault] -= 1;
  return true;
}

/** What can be asked of the server over its control channel. */
export type Order =
  | { readonly do: "set"; readonly faults: Partial<Faults> }
  /** Cuts all connections. */
  | { readonly do: "cut" }
  /** Ends all subscriptions with an error, or as if all were well. */
  | { readonly do: "endSubscriptions"; readonly kindly: boolean }
  /** The leader forgets the event ids it has seen, as it does when there were many. */
  | { readonly do: "forgetIds" }
  /** Events of the server's own, in a stream whose name begins with $. */
  | { readonly do: "systemEvents"; readonly count: number }
  /** The node goes away, or comes back at its port. */
  | { readonly do: "stopNode" | "startNode"; readonly node: number }
  | { readonly do: "stats" };

export interface Stats {
  readonly ports: readonly number[];
  readonly events: number;
  /** Events and checkpoints handed to subscriptions, open ones and all there ever were. */
  readonly sent: number;
  readonly subscriptions: number;
  readonly subscriptionsOpen: number;
  readonly batchStreams: number;
  readonly appends: number;
  /** Appends under way at once, at most. */
  readonly appendsAtOnce: number;
  readonly reads: number;
  /** Values of the authorization header that came. */
  readonly authorizations: readonly string[];
}
