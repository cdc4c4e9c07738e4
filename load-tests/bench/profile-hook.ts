// Loaded into each Proximal that `npm run bench -- --profile` starts (node --import): profiles the main thread from the
// start, begins anew with SIGUSR2, and writes the profile when the process ends. BENCH_PROFILE says what and where:
// cpu:<folder> or heap:<folder>.

import { writeFileSync } from "node:fs";
import { type HeapProfiler, type Profiler, Session } from "node:inspector";
import { join } from "node:path";

const [kind, folder] = process.env.BENCH_PROFILE?.split(/:(.*)/s) ?? [];
// Half a millisecond between samples: the usual one is twice that.
const samplingIntervalUs = 500;
// The role, for the file's name; a command has none.
const role = process.env.PROXIMAL_ROLE ?? (process.argv.includes("serve") ? "all" : null);

if (folder !== undefined && role !== null) {
  const session = new Session();
  session.connect();
  const file = join(folder, `${role}-${process.pid}.${kind === "heap" ? "heapprofile" : "cpuprofile"}`);
  const write = (_error: Error | null, { profile }: { profile: Profiler.Profile | HeapProfiler.SamplingHeapProfile }) =>
    writeFileSync(file, JSON.stringify(profile));

  const start = (): void => {
    if (kind === "heap") {
      // What was thrown away again is what is looked for.
      const all = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
      session.post("HeapProfiler.startSampling", { samplingInterval: 32_768, ...all });
    } else session.post("Profiler.start");
  };
  if (kind === "cpu") {
    session.post("Profiler.enable");
    session.post("Profiler.setSamplingInterval", { interval: samplingIntervalUs });
  }
  start();
  process.on("SIGUSR2", () => {
    session.post(kind === "heap" ? "HeapProfiler.stopSampling" : "Profiler.stop");
    start();
  });
  process.once("exit", () => {
    // In its own process a session answers at once.
    if (kind === "heap") session.post("HeapProfiler.stopSampling", write);
    else session.post("Profiler.stop", write);
  });
}
