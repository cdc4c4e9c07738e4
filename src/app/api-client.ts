/** The API did not answer as hoped. `message` is one line that can be shown; `status` 0 where nothing answered. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  readonly status: number;
  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** A client of a Proximal server, for the command line and the simulated class: they use what everyone uses. */
export interface ApiClient {
  readonly url: string;
  get(path: string, query?: Readonly<Record<string, string | number | undefined>>): Promise<unknown>;
  post(path: string, body?: unknown): Promise<unknown>;
  delete(path: string): Promise<unknown>;
}

export interface ApiClientOptions {
  readonly url: string;
  readonly key: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export function createApiClient({ url, key, timeoutMs = 30_000, signal }: ApiClientOptions): ApiClient {
  const base = url.replace(/\/+$/, "");
  async function request(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const limit = AbortSignal.timeout(timeoutMs);
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw new ApiFailure(`no answer from ${base}: ${causeOf(error)}`, 0);
    }
    const text = await response.text();
    if (!response.ok) throw new ApiFailure(`${method} ${path}: ${problemOf(response.status, text)}`, response.status);
    return text === "" ? null : JSON.parse(text);
  }
  return {
    url: base,
    get: (path, query = {}) => request("GET", `${path}${queryText(query)}`),
    post: (path, body) => request("POST", path, body),
    delete: (path) => request("DELETE", path),
  };
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.append(name, String(value));
  return text.size === 0 ? "" : `?${text}`;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && cause.code === "ECONNREFUSED") return "nothing listens there";
  return cause instanceof Error ? cause.message || error.message : error.message;
}

/** The problem+json of an error reply, in one line. */
function problemOf(status: number, text: string): string {
  try {
    const { title, detail } = JSON.parse(text) as { title?: unknown; detail?: unknown };
    const said = [title, detail].filter((part) => typeof part === "string" && part !== "");
    if (said.length > 0) return `${status} ${said.join(": ")}`;
  } catch {
    // Not JSON: the status says enough.
  }
  return `${status} ${text.slice(0, 200).replaceAll(/\s+/g, " ")}`.trimEnd();
}
