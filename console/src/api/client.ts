import type { ProblemBody } from "./answers.ts";

/** What went wrong, in the words of the API where it said something. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly title: string;
  readonly detail: string;
  /** 0: there was no answer. */
  readonly status: number;
  readonly code: string | null;
  constructor(title: string, detail: string, status: number, code: string | null) {
    super(detail === "" ? title : `${title}: ${detail}`);
    this.title = title;
    this.detail = detail;
    this.status = status;
    this.code = code;
  }
}

const withinMs = 10_000;

export interface Api {
  get<Answer>(path: string, signal?: AbortSignal): Promise<Answer>;
  post<Answer>(path: string, body?: unknown, signal?: AbortSignal): Promise<Answer>;
  /** A file, which only comes with the key. */
  file(path: string): Promise<Blob>;
}

/** The API with this key. `onRefused` is told when the key is no good, or no more. Every call ends within ten seconds. */
export function createApi(key: string, onRefused: () => void, fetching: typeof fetch = fetch): Api {
  async function call(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const limit = AbortSignal.timeout(withinMs);
    const headers = { authorization: `Bearer ${key}`, ...init.headers };
    const ends = signal === undefined ? limit : AbortSignal.any([limit, signal]);
    let response: Response;
    try {
      response = await fetching(path, {
        ...init,
        headers,
        signal: ends,
        cache: "no-store",
        credentials: "same-origin",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      const why = limit.aborted ? `no answer within ${withinMs / 1000} s` : "the connection failed";
      throw new ApiProblem("The server does not answer", why, 0, null);
    }
    if (response.ok) return response;
    if (response.status === 401) onRefused();
    throw await problemOf(response);
  }

  return {
    get: async (path, signal) => (await call(path, {}, signal)).json(),
    post: async (path, body, signal) => {
      const sent =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
      return (await call(path, { method: "POST", ...sent }, signal)).json();
    },
    file: async (path) => (await call(path, {})).blob(),
  };
}

/** The problem of an answer that is none: problem details where it has some, else its status. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  try {
    const { title, detail, code }: Partial<ProblemBody> = await response.json();
    if (typeof title === "string") return new ApiProblem(title, detail ?? "", response.status, code ?? null);
  } catch {
    // Not JSON: a proxy before the server, for one.
  }
  return new ApiProblem(`The server answered with ${response.status}`, response.statusText, response.status, null);
}

export function problemFrom(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem("The console failed", error instanceof Error ? error.message : String(error), 0, null);
}

/** A path with its parameters; those that are null are left out. */
export function pathOf(path: string, query: Readonly<Record<string, string | number | null>>): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]]));
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`;
}

export const learnerPath = (learnerId: string, what: string): string =>
  `/v1/learners/${encodeURIComponent(learnerId)}/${what}`;
