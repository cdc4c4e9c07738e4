import { createHash, type Hash } from "node:crypto";
import type { ReadModels, Row } from "../ports/read-models.ts";
import { checkpointField, countersPrefix, decodeParked, learnerPrefix, parkedStreamsField } from "./rows.ts";

/** Rows read at once, of each namespace. */
const chunkSize = 200;

export interface Comparison {
  /** SHA-256 over all rows of each namespace, hex. Equal digests: equal rows. */
  readonly digests: readonly [string, string];
  /** Rows that are not the same in both, without the namespace, the first few in order of key. */
  readonly differing: readonly string[];
  readonly rows: number;
}

/**
 * A fingerprint of what the log makes of a namespace: learners and counters. Left out is what depends on when it was
 * written: how the batches were cut, when something was parked, and the popular lists, which are made from the counters.
 */
export async function digestNamespace(readModels: ReadModels, namespace: string): Promise<string> {
  return (await compareNamespaces(readModels, namespace, namespace)).digests[0];
}

/** Both must stand still meanwhile. Names at most `differingMax` rows that differ. */
export async function compareNamespaces(
  readModels: ReadModels,
  a: string,
  b: string,
  differingMax = 20,
): Promise<Comparison> {
  const names = new Set([...(await rowNames(readModels, a)), ...(await rowNames(readModels, b))]);
  const sorted = [...names].sort();
  const [first, second] = [createHash("sha256"), createHash("sha256")];
  const differing: string[] = [];
  for (let from = 0; from < sorted.length; from += chunkSize) {
    const chunk = sorted.slice(from, from + chunkSize);
    const ofA = await fingerprints(readModels, a, chunk, first);
    const ofB = await fingerprints(readModels, b, chunk, second);
    chunk.forEach((name, at) => {
      if (ofA[at] !== ofB[at] && differing.length < differingMax) differing.push(name);
    });
  }
  return { digests: [first.digest("hex"), second.digest("hex")], differing, rows: sorted.length };
}

/** Keys without the namespace. */
async function rowNames(readModels: ReadModels, namespace: string): Promise<string[]> {
  const names: string[] = [];
  for (const prefix of [learnerPrefix(namespace), countersPrefix(namespace)]) {
    for await (const page of readModels.keys(prefix)) {
      for (const key of page) names.push(key.slice(namespace.length));
    }
  }
  return names;
}

async function fingerprints(
  readModels: ReadModels,
  namespace: string,
  names: readonly string[],
  total: Hash,
): Promise<string[]> {
  const rows = await readModels.read(names.map((name) => namespace + name));
  return rows.map((row, at) => {
    const one = fingerprint(row, names[at] ?? "");
    total.update(one);
    return one;
  });
}

function fingerprint(row: Row, name: string): string {
  const hash = createHash("sha256").update(`${name}\n`);
  // The version of counters says where a batch was cut.
  if (!name.startsWith(countersPrefix(""))) hash.update(`${row.version}\n`);
  const fields = canonicalFields(row);
  for (const field of [...fields.keys()].sort()) {
    const value = fields.get(field) ?? Buffer.alloc(0);
    hash.update(`${field}\n${value.length}\n`).update(value);
  }
  return hash.digest("hex");
}

/** The fields of a row that the log alone determines, as they are compared. */
export function canonicalFields(row: Row | undefined): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (const [field, value] of row?.fields ?? []) {
    const bytes = canonical(field, value);
    if (bytes !== null) fields.set(field, bytes);
  }
  return fields;
}

function canonical(field: string, value: Buffer): Buffer | null {
  // The list of the parked says nothing that their own fields do not say.
  if (field === checkpointField || field === parkedStreamsField) return null;
  if (!field.startsWith("parked:")) return value;
  const { revision, position } = decodeParked(value);
  return Buffer.from(`${revision} ${position}`);
}
