import http, { type RefinedResponse } from "k6/http";
import { Counter, Trend } from "k6/metrics";
import { settings } from "./settings.ts";

const shed = new Counter("shed_requests");
const answered = new Trend("answered_duration", true);

if (settings.mayShed) http.setResponseCallback(http.expectedStatuses({ min: 200, max: 399 }, 429, 503));

const headers = { authorization: `Bearer ${settings.key}` };
const jsonHeaders = { ...headers, "content-type": "application/json" };

/** `name` groups requests in every figure; paths would make a group of each learner. */
const params = (name: string) => ({ headers, tags: { name }, timeout: "15s" });

export type Reply = RefinedResponse<"text">;

export function get(name: string, path: string): Reply {
  return counted(http.get(`${settings.queryUrl}${path}`, params(name)));
}

/** A command, or with `query` a question that has a body. */
export function post(name: string, path: string, body: unknown, { query = false } = {}): Reply {
  const url = `${query ? settings.queryUrl : settings.commandUrl}${path}`;
  return counted(http.post(url, JSON.stringify(body), { ...params(name), headers: jsonHeaders }));
}

export function remove(name: string, path: string): Reply {
  return counted(http.del(`${settings.commandUrl}${path}`, null, params(name)));
}

export const isOk = ({ status }: Reply): boolean => status >= 200 && status < 300;
export const isShed = ({ status }: Reply): boolean => status === 429 || status === 503;

function counted(reply: RefinedResponse<"text" | "binary" | "none" | undefined>): Reply {
  const text = reply as Reply;
  if (isShed(text)) shed.add(1);
  if (isOk(text)) answered.add(text.timings.duration);
  return text;
}
