import { sep } from "node:path";
import { z } from "zod";
import { figure, markdownTable } from "./report.ts";

/*
 * Reads the profiles of V8 (.cpuprofile, .heapprofile): which functions, and which packages, the time or the memory went
 * to. Of the libraries that read these files none that is kept up gives that; the form is that of the DevTools protocol
 * (Profiler.Profile, HeapProfiler.SamplingHeapProfile).
 */

const callFrameSchema = z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() });
type CallFrame = z.infer<typeof callFrameSchema>;

const cpuProfileSchema = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: callFrameSchema })),
  samples: z.array(z.number()),
  /** Microseconds from the sample before. */
  timeDeltas: z.array(z.number()),
});

const heapNodeSchema = z.object({
  callFrame: callFrameSchema,
  selfSize: z.number(),
  get children() {
    return z.array(heapNodeSchema);
  },
});
const heapProfileSchema = z.object({ head: heapNodeSchema });

export interface Share {
  readonly what: string;
  /** Milliseconds by themselves, without what they call; of a heap profile kilobytes. */
  readonly self: number;
}

export interface Profile {
  readonly unit: "ms" | "kB";
  /** All of it, without waiting. */
  readonly total: number;
  /** The largest first. */
  readonly functions: readonly Share[];
  readonly packages: readonly Share[];
}

/** Throws where the JSON is of neither kind. `root` is the folder of the repository: places are told from there. */
export function readProfile(json: unknown, root: string): Profile {
  const cpu = cpuProfileSchema.safeParse(json);
  if (cpu.success) return profileOf("ms", cpuCosts(cpu.data), root);
  const { head } = heapProfileSchema.parse(json);
  return profileOf("kB", heapCosts(head), root);
}

type Cost = readonly [frame: CallFrame, self: number];

function cpuCosts({ nodes, samples, timeDeltas }: z.infer<typeof cpuProfileSchema>): Cost[] {
  const us = new Map<number, number>();
  // A sample stands for the time until the next one.
  for (const [at, id] of samples.entries()) us.set(id, (us.get(id) ?? 0) + Math.max(0, timeDeltas[at + 1] ?? 0));
  return nodes.map(({ id, callFrame }) => [callFrame, (us.get(id) ?? 0) / 1000]);
}

function heapCosts(head: z.infer<typeof heapNodeSchema>): Cost[] {
  const costs: Cost[] = [];
  const open = [head];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    costs.push([node.callFrame, node.selfSize / 1000]);
    open.push(...node.children);
  }
  return costs;
}

function profileOf(unit: Profile["unit"], costs: readonly Cost[], root: string): Profile {
  const busy = costs.filter(([{ functionName }, self]) => self > 0 && functionName !== "(idle)");
  const summed = (nameOf: (frame: CallFrame) => string): Share[] => {
    const sums = new Map<string, number>();
    for (const [frame, self] of busy) sums.set(nameOf(frame), (sums.get(nameOf(frame)) ?? 0) + self);
    return [...sums].map(([what, self]) => ({ what, self })).sort((a, b) => b.self - a.self);
  };
  return {
    unit,
    total: busy.reduce((sum, [, self]) => sum + self, 0),
    functions: summed((frame) => `${frame.functionName || "(anonymous)"} ${placeOf(frame, root)}`.trim()),
    packages: summed((frame) => packageOf(frame, root)),
  };
}

/** `src/http/next.ts:12`; nothing for what V8 itself does. */
function placeOf({ url, lineNumber }: CallFrame, root: string): string {
  return url === "" ? "" : `${pathOf(url, root)}:${lineNumber + 1}`;
}

const pathOf = (url: string, root: string): string =>
  decodeURIComponent(url.replace(/^file:\/\//, "")).replace(`${root}${sep}`, "");

/** A package of npm, a folder of the sources, `node`, or what V8 says of itself: `(garbage collector)`. */
function packageOf({ url, functionName }: CallFrame, root: string): string {
  if (url === "") return functionName.startsWith("(") ? functionName : "native";
  if (url.startsWith("node:")) return "node";
  const path = pathOf(url, root);
  const inModules = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  return inModules ?? path.split("/").slice(0, -1).slice(0, 3).join("/");
}

/** The largest so many of each, with their share. */
export function profileTable({ functions, packages, total, unit }: Profile, most: number): string {
  const table = (title: string, shares: readonly Share[]): string =>
    markdownTable(
      [title, unit, "share"],
      shares.slice(0, most).map(({ what, self }) => [what, figure(self), `${((100 * self) / total).toFixed(1)} %`]),
    );
  return `${table("package or folder", packages)}\n\n${table("function, by itself", functions)}`;
}
