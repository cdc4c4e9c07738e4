import { X509Certificate } from "node:crypto";
import type { StatsFs } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { Gauge, type Registry } from "prom-client";
import type { Config } from "../config.ts";
import { version } from "../version.ts";

/** What a process is, and the things it runs out of that no engine tells of; all of it read when scraped. */
export function registerProcessMetrics(registry: Registry, config: Config): void {
  const registers = [registry];
  new Gauge({
    ...{ name: "proximal_build_info", help: "1; what runs here", registers, aggregator: "first" as const },
    labelNames: ["version", "role", "nodejs_version"] as const,
  }).set({ version: version(), role: config.role, nodejs_version: process.versions.node }, 1);
  let before = performance.eventLoopUtilization();
  new Gauge({
    ...{ name: "nodejs_eventloop_utilization_ratio", registers, aggregator: "average" as const },
    help: "Share of the time since the scrape before in which the event loop was busy",
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
  folderGauges(registers, foldersOf(config));
  certificateGauge(registers, certificatesOf(config));
}

/** Folders that this process, or a program that it starts, writes to, by name. */
function foldersOf({ databaseUrl, dataFolder, archiveFolder }: Config): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  if (databaseUrl === undefined) folders.set("data", resolve(dataFolder));
  if (archiveFolder !== undefined) folders.set("archive", resolve(archiveFolder));
  return folders;
}

function folderGauges(registers: Registry[], folders: ReadonlyMap<string, string>): void {
  const gauge = (name: string, help: string, bytes: (disk: StatsFs) => number): Gauge =>
    new Gauge({
      ...{ name, help, labelNames: ["folder"], registers, aggregator: "min" as const },
      async collect() {
        this.reset();
        for (const [folder, path] of folders) {
          const found = await statfs(path).catch(() => null);
          if (found !== null) this.set({ folder }, bytes(found));
        }
      },
    });
  gauge("folder_free_bytes", "Free on the disk of a folder that is written to", ({ bavail, bsize }) => bavail * bsize);
  gauge("folder_size_bytes", "Size of the disk of a folder that is written to", ({ blocks, bsize }) => blocks * bsize);
}

/** Files with certificates, by the setting that names them. */
function certificatesOf({ kafkaTlsCa, kafkaTlsCert }: Config): ReadonlyMap<string, string> {
  const files = { KAFKA_TLS_CA: kafkaTlsCa, KAFKA_TLS_CERT: kafkaTlsCert };
  return new Map(Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function certificateGauge(registers: Registry[], files: ReadonlyMap<string, string>): void {
  new Gauge({
    ...{ name: "tls_certificate_not_after_timestamp_seconds", labelNames: ["setting"], registers },
    help: "When the first of the certificates of a file ends, Unix time; absent where it cannot be read",
    aggregator: "min" as const,
    async collect() {
      this.reset();
      for (const [setting, path] of files) {
        const ends = await firstEnd(path).catch(() => null);
        if (ends !== null) this.set({ setting }, ends);
      }
    },
  });
}

const certificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

async function firstEnd(path: string): Promise<number | null> {
  const ends = [...(await readFile(path, "utf8")).matchAll(certificate)].map(([pem]) =>
    Date.parse(new X509Certificate(pem).validTo),
  );
  return ends.length === 0 ? null : Math.min(...ends) / 1000;
}
