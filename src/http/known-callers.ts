import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type Authenticator, type Caller, isFresh, mayCall, presentedKey } from "./authentication.ts";

interface KnownOnConnection {
  readonly authorization: string;
  readonly caller: Caller;
  readonly until: number;
}

/** What a connection was found to be is believed so long: a part of how long a key is believed at all. Milliseconds. */
const connectionMs = 1_000;

/**
 * Who asks, where the key is in memory and may ask as a client. A connection that presents the very header it was just known
 * by is not looked at again: that tells nobody anything about another's key.
 */
export function createKnownCallers(
  authenticator: Authenticator,
  now: () => number,
): (request: IncomingMessage) => Caller | null {
  const connections = new WeakMap<Socket, KnownOnConnection>();
  return ({ headers, socket }) => {
    const known = connections.get(socket);
    const { authorization } = headers;
    if (known?.authorization === authorization && known !== undefined && isFresh(known.until, connectionMs, now())) {
      return known.caller;
    }
    const key = presentedKey(headers);
    const caller = key === null ? null : authenticator.known(key);
    if (caller === null || !mayCall(caller, ["client"])) return null;
    if (authorization !== undefined) connections.set(socket, { authorization, caller, until: now() + connectionMs });
    return caller;
  };
}
