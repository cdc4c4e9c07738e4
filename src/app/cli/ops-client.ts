import { createApiKey } from "../../commands/api-keys.ts";
import { type ApiClient, ApiFailure, createApiClient } from "../api-client.ts";
import { urlOf } from "../url.ts";
import type { CommandContext } from "./context.ts";
import { CommandFailure } from "./io.ts";
import { withEngines } from "./with-engines.ts";

export interface OpsOptions {
  readonly url?: string;
  readonly key?: string;
  readonly json?: boolean;
}

const keyMs = 10 * 60_000;

/**
 * A client of the running server with an operator's key: the one given, else one made for ten minutes in the key store
 * that this command is configured for. Failures of the server end the command with one line.
 */
export async function withOperator<T>(
  context: CommandContext,
  options: OpsOptions,
  work: (api: ApiClient) => Promise<T>,
): Promise<T> {
  const config = context.config({ PROXIMAL_URL: options.url, PROXIMAL_API_KEY: options.key });
  const url = config.serverUrl ?? urlOf(config);
  const key = config.apiKey ?? (await temporaryKey(context));
  try {
    return await work(createApiClient({ url, key, signal: context.io.signal }));
  } catch (error) {
    if (context.io.signal.aborted) throw new CommandFailure("stopped");
    if (!(error instanceof ApiFailure)) throw error;
    if (error.status === 0)
      throw new CommandFailure(`${error.message}; start it with \`proximal serve\`, or set PROXIMAL_URL`);
    if (error.status === 401 || error.status === 403) {
      throw new CommandFailure(
        `${error.message}; the server at ${url} has another key store: give --key with an operator's key`,
      );
    }
    throw new CommandFailure(error.message);
  }
}

function temporaryKey(context: CommandContext): Promise<string> {
  return withEngines(context, async ({ apiKeys }) => {
    const deps = { apiKeys, clock: { now: Date.now } };
    const input = { name: "command line", scopes: ["operator"] as const, expiresInMs: keyMs };
    return (await createApiKey(deps, input)).key;
  });
}
