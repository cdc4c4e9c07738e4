import type { Policy } from "../../domain/events.ts";
import { isJsonObject } from "../../domain/json-object.ts";
import { type PolicyVersion, policyHistory } from "../../queries/policy-history.ts";
import type { AddCommand, CommandContext } from "./context.ts";
import { CommandFailure, printResult, tableLines } from "./io.ts";
import { examples, wholeNumberOf } from "./options.ts";
import { withCatalogue } from "./with-catalogue.ts";

interface ShowOptions {
  readonly versions?: boolean;
  readonly count: number;
  readonly before?: number;
  readonly json?: boolean;
}

export const addTracks: AddCommand = (program, context) => {
  const tracks = program.command("tracks").description("tracks and their policies");
  tracks
    .command("list")
    .description("the tracks there are")
    .option("--json", "print JSON")
    .action((options: { readonly json?: boolean }) => list(context, options.json === true));
  tracks
    .command("show")
    .description("a track's policy as it stands, the defaults filled in")
    .argument("<track>", "its id")
    .option("--versions", "and its versions: when, by which key, and what changed")
    .option("--count <n>", "versions shown", wholeNumberOf(1), 20)
    .option("--before <revision>", "versions before this one", wholeNumberOf(1))
    .option("--json", "print JSON")
    .addHelpText("after", examples("proximal tracks show algebra", "proximal tracks show algebra --versions"))
    .action((id: string, options: ShowOptions) => show(context, id, options));
};

function list(context: CommandContext, json: boolean): Promise<void> {
  return withCatalogue(context, async ({ commands }) => {
    const tracks = [...commands.catalogue.catalogue.tracks.values()].sort((a, b) => (a.trackId < b.trackId ? -1 : 1));
    const shown = tracks.map(({ trackId, title, revision, retired }) => ({ trackId, title, revision, retired }));
    printResult(context.io, json, { tracks: shown }, () =>
      shown.length === 0
        ? ["no track is defined"]
        : tableLines(
            ["track", "revision", "title"],
            shown.map((track) => [track.trackId, track.revision, `${track.title}${track.retired ? " (retired)" : ""}`]),
          ),
    );
  });
}

function show(context: CommandContext, id: string, options: ShowOptions): Promise<void> {
  return withCatalogue(context, async ({ commands, engines: { eventStore } }) => {
    const track = commands.catalogue.catalogue.tracks.get(id);
    if (track === undefined) throw new CommandFailure(`tracks show: no track ${id}; \`proximal tracks list\` has them`);
    const history = await policyHistory({ eventStore }, track, options);
    printResult(context.io, options.json === true, history, () => [
      `${history.title} (${history.policyVersion})${history.retired ? ", retired" : ""}`,
      ...settings(history.policy).map(([name, value]) => `  ${name}: ${value}`),
      ...(options.versions === true ? ["", ...versionLines(history.versions)] : []),
      ...(options.versions === true && history.nextBefore !== null
        ? [`older ones: --before ${history.nextBefore}`]
        : []),
    ]);
  });
}

/** Each setting by its path. */
function settings(policy: Policy | object, path = ""): [string, string][] {
  return Object.entries(policy).flatMap(([name, value]): [string, string][] =>
    isJsonObject(value) ? settings(value, `${path}${name}.`) : [[`${path}${name}`, JSON.stringify(value)]],
  );
}

const versionLines = (versions: readonly PolicyVersion[]): string[] =>
  tableLines(
    ["version", "when", "key", "what changed"],
    versions.map(({ policyVersion, recordedAt, apiKeyId, ...version }) => [
      ...[policyVersion, recordedAt.slice(0, 19), apiKeyId ?? "-"],
      whatChanged(version),
    ]),
  );

function whatChanged({
  status,
  revision,
  changed,
  policy,
}: Omit<PolicyVersion, "policyVersion" | "apiKeyId" | "recordedAt">): string {
  if (status !== "defined") return status;
  if (revision === 1 || changed === null) return "defined";
  if (changed.length === 0) return "not the policy";
  const values = new Map(settings(policy ?? {}));
  return changed.map((name) => `${name}: ${values.get(name) ?? "-"}`).join(", ");
}
