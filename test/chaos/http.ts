import { Agent, request } from "node:http";

export interface Answered {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number;
}

/** Connections to the API's processes are kept, as a balancer keeps them. */
const agent = new Agent({ keepAlive: true, maxSockets: 512 });

/** One request with a deadline; null where no whole answer came, whatever the reason. Never rejects. */
export function ask(
  url: string,
  deadlineMs: number,
  { key, body }: { readonly key: string; readonly body?: string },
): Promise<Answered | null> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) };
    const sent = request(url, { agent, headers, method: body === undefined ? "GET" : "POST" });
    const timer = setTimeout(() => sent.destroy(), deadlineMs);
    const end = (answered: Answered | null): void => {
      clearTimeout(timer);
      resolve(answered);
    };
    sent.on("error", () => end(null));
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      const retryAfterMs = Number(response.headers["retry-after"] ?? 0) * 1000;
      response.on("end", () => end({ status: response.statusCode ?? 0, body: text, retryAfterMs }));
      response.on("error", () => end(null));
      response.on("aborted", () => end(null));
    });
    sent.end(body);
  });
}

export const closeConnections = (): void => agent.destroy();
