import { Argument, Option } from "commander";
import { createApiKey, listApiKeys, revokeApiKey } from "../../commands/api-keys.ts";
import { type Scope, scopes } from "../../ports/api-keys.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult, tableLines } from "./io.ts";
import { durationOf, examples, gathered } from "./options.ts";
import { withEngines } from "./with-engines.ts";

const clock = { now: Date.now };

export const addKeys: AddCommand = (program, context) => {
  const keys = program.command("keys").description("API keys: make, list and revoke them");
  keys
    .command("create")
    .description("make a key; it is printed once and kept nowhere, only its hash is")
    .requiredOption("--name <name>", "whose it is")
    .addOption(
      new Option("--scope <scope>", "what it may do; may be given several times")
        .choices(scopes)
        .argParser((value: string, previous: readonly string[] | undefined) => {
          if (!scopes.includes(value as Scope)) throw new CommandFailure(`--scope ${value}: ${scopes.join(", ")}`, 64);
          return gathered(value, previous);
        }),
    )
    .option("--expires-in <time>", "like 30d, 12h; never when left out", durationOf)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "proximal keys create --name web-app --scope client",
        "proximal keys create --name research --scope analyst --expires-in 90d",
      ),
    )
    .action((options: CreateOptions) => create(context, options));
  keys
    .command("list")
    .description("all keys, newest first")
    .option("--json", "print JSON")
    .action((options: { json?: boolean }) => list(context, options.json === true));
  keys
    .command("revoke")
    .description("end a key; servers notice within 5 seconds")
    .addArgument(new Argument("<id>", "as `keys list` shows it"))
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal keys revoke 5f0c1d2e3a4b5c6d"))
    .action((id: string, options: { json?: boolean }) => revoke(context, id, options.json === true));
};

interface CreateOptions {
  readonly name: string;
  readonly scope?: Scope[];
  readonly expiresIn?: number;
  readonly json?: boolean;
}

function create(context: CommandContext, { name, scope = ["client"], expiresIn, json = false }: CreateOptions) {
  return withEngines(context, async ({ apiKeys }) => {
    const input = { name, scopes: [...new Set(scope)], ...(expiresIn === undefined ? {} : { expiresInMs: expiresIn }) };
    const { key, stored } = await createApiKey({ apiKeys, clock }, input);
    const { hash: _hidden, ...shown } = stored;
    printResult(context.io, json, { key, ...shown }, () => [
      key,
      "",
      `id ${stored.id}, may do: ${stored.scopes.join(", ")}, ${expiry(stored.expiresAt)}`,
      "It is shown this once. Send it as the header `Authorization: Bearer <key>`.",
    ]);
  });
}

function list(context: CommandContext, json: boolean) {
  return withEngines(context, async ({ apiKeys }) => {
    const keys = await listApiKeys({ apiKeys, clock });
    printResult(context.io, json, keys, () =>
      keys.length === 0
        ? ["no keys yet: proximal keys create --name web-app --scope client"]
        : tableLines(
            ["id", "name", "may do", "made", "state"],
            keys.map((k) => [k.id, k.name, k.scopes.join(","), k.createdAt.slice(0, 16), stateOf(k)]),
          ),
    );
  });
}

function revoke(context: CommandContext, id: string, json: boolean) {
  return withEngines(context, async ({ apiKeys }) => {
    if (!(await revokeApiKey({ apiKeys, clock }, id))) {
      throw new CommandFailure(`there is no key ${id}; \`proximal keys list\` shows all (an id, not the key itself)`);
    }
    printResult(context.io, json, { id, revoked: true }, () => [`revoked ${id}`]);
  });
}

function expiry(expiresAt: string | null): string {
  return expiresAt === null ? "does not expire" : `until ${expiresAt.slice(0, 16)}Z`;
}

function stateOf(key: { readonly revokedAt: string | null; readonly expiresAt: string | null }): string {
  if (key.revokedAt !== null) return `revoked ${key.revokedAt.slice(0, 16)}`;
  if (key.expiresAt !== null && Date.parse(key.expiresAt) <= clock.now()) return "expired";
  return expiry(key.expiresAt);
}
