/** Where the servers of a Redis are, and how to speak to them. */
export interface RedisAddress {
  readonly kind: "single" | "sentinel" | "cluster";
  /** The server; or the sentinels; or some nodes of the cluster, which know the others. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** What the sentinels call the master; null but with Sentinel. */
  readonly name: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly tls: boolean;
}

const forms =
  "redis[s]://[user:password@]host[:port][/db], redis[s]+sentinel://[user:password@]h1:p,h2:p/NAME[/db] or redis[s]+cluster://[user:password@]h1:p,h2:p";
const defaultPort = { single: 6379, sentinel: 26379, cluster: 6379 };
const form = /^redis(s)?(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/]*)(\/.*)?$/;

/** Throws where the text is none of the three forms; the message holds no password. */
export function parseRedisUrl(url: string): RedisAddress {
  const [, tls, several, user, hosts = "", path = ""] = form.exec(url) ?? refuse();
  const kind = several === "sentinel" || several === "cluster" ? several : "single";
  const [name, database] = kind === "sentinel" ? sentinelPath(path) : [null, databaseOf(path)];
  if (kind === "cluster" && database !== 0) refuse();
  const all = hosts.split(",").map((host) => hostAndPort(host, defaultPort[kind]));
  if (kind === "single" && all.length > 1) refuse();
  const [username, password] = credentials(user ?? "");
  return { kind, hosts: all, name, username, password, database, tls: tls !== undefined };
}

function refuse(): never {
  throw new Error(`no URL of a Redis: ${forms}`);
}

/** `user:password`, `:password` or `user`, percent-encoded. */
function credentials(text: string): [username: string | null, password: string | null] {
  const [username = "", ...password] = text.split(":");
  const decoded = (part: string): string | null => (part === "" ? null : decodeURIComponent(part));
  return [decoded(username), decoded(password.join(":"))];
}

function hostAndPort(text: string, port: number): { host: string; port: number } {
  const [, v6, host, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text) ?? refuse();
  return { host: v6 ?? (host === undefined || host === "" ? "localhost" : host), port: Number(digits ?? port) };
}

function sentinelPath(path: string): [name: string, database: number] {
  const [, name = "", rest = ""] = /^\/([^/]+)(\/.*)?$/.exec(path) ?? refuse();
  return [decodeURIComponent(name), databaseOf(rest)];
}

function databaseOf(path: string): number {
  if (path === "" || path === "/") return 0;
  const [, digits] = /^\/(\d{1,5})$/.exec(path) ?? refuse();
  return Number(digits);
}
