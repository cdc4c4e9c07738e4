import { ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { describe, expect, it, onTestFinished } from "vitest";
import type { OpenSpan } from "../../ports/tracing.ts";
import { createTracing, type OpenTelemetryTracing } from "./opentelemetry.ts";

function newTracing(ratio = 1) {
  const kept: ReadableSpan[] = [];
  const exporter: SpanExporter = {
    export(spans, done) {
      kept.push(...spans);
      done({ code: ExportResultCode.SUCCESS });
    },
    shutdown: async () => undefined,
  };
  const exports: { spans: number; failed: boolean }[] = [];
  const tracing = createTracing({
    ...{ ratio, exporter, resource: { "service.name": "test" }, delayMs: 60_000 },
    onExport: (outcome) => exports.push(outcome),
  });
  onTestFinished(() => tracing.close());
  const ended = async (): Promise<readonly ReadableSpan[]> => {
    await tracing.close();
    return kept;
  };
  return { tracing, ended, exports };
}

function begun(tracing: OpenTelemetryTracing, traceparent?: string): OpenSpan {
  const span = tracing.begin({ name: "GET", kind: "server" }, traceparent);
  if (span === null) throw new Error("not sampled");
  return span;
}

const parentOf = (span: ReadableSpan | undefined): string | undefined => span?.parentSpanContext?.spanId;
const idOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().spanId;
const named = (spans: readonly ReadableSpan[], name: string): ReadableSpan | undefined =>
  spans.find((span) => span.name === name);

const caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
const another = "00-aaf92f3577b34da6a3ce929d0e0e4736-aaf067aa0ba902b7-01";

describe("a request", () => {
  it("goes on with the caller's trace, and what it does are its children", async () => {
    const { tracing, ended } = newTracing(0);
    const span = begun(tracing, caller);
    await span.run(async () => {
      tracing.name("GET /v1/x", { "http.route": "/v1/x" });
      expect(tracing.traceparent()).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
      expect(tracing.logFields()).toMatchObject({ trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" });
      await tracing.within({ name: "outer" }, async () => tracing.ended({ name: "inner" }, 5, "57014"));
    });
    span.end({ "http.response.status_code": 200 }, null);
    const spans = await ended();
    const [inner, outer, request] = [named(spans, "inner"), named(spans, "outer"), named(spans, "GET /v1/x")];
    expect(spans).toHaveLength(3);
    expect(parentOf(request)).toBe("00f067aa0ba902b7");
    expect([parentOf(outer), parentOf(inner)]).toEqual([idOf(request), idOf(outer)]);
    expect(request?.attributes).toEqual({ "http.route": "/v1/x", "http.response.status_code": 200 });
    expect(inner?.attributes).toEqual({ "error.type": "57014" });
    expect(Math.round((inner?.duration[1] ?? 0) / 1e6)).toBe(5);
  });

  it("is traced as often as asked for where it has no trace, and never against its caller's word", () => {
    const { tracing } = newTracing(0.25);
    const sampled = Array.from({ length: 2_000 }, () => tracing.begin({ name: "GET" }, undefined)).filter(Boolean);
    // Binomial: six standard deviations.
    expect(Math.abs(sampled.length - 500)).toBeLessThan(117);
    expect(newTracing(1).tracing.begin({ name: "GET" }, unsampled)).toBeNull();
  });

  it("has no part in what it began in the background, once it has ended", async () => {
    const { tracing, ended } = newTracing();
    const span = begun(tracing);
    let later: Promise<string> = Promise.resolve("");
    let go: () => void = () => undefined;
    span.run(() => {
      later = new Promise<void>((resolve) => {
        go = resolve;
      }).then(() => tracing.within({ name: "later" }, async () => "done"));
    });
    span.end({}, null);
    go();
    expect(await later).toBe("done");
    expect(await ended()).toHaveLength(1);
  });

  it("has a thousand spans at the most", async () => {
    const { tracing, ended } = newTracing();
    const span = begun(tracing);
    await span.run(async () => {
      for (let n = 0; n < 1_200; n += 1) await tracing.within({ name: "read" }, async () => n);
    });
    span.end({}, null);
    expect(await ended()).toHaveLength(1_001);
  });
});

describe("work for several traces", () => {
  it("is a span in each that is sampled, once, and what it does is in each", async () => {
    const { tracing, ended } = newTracing(0);
    const work = (): Promise<number> => tracing.within({ name: "write rows" }, async () => 7);
    const done = tracing.withinEach(
      [caller, undefined, caller, unsampled, another, "nonsense"],
      { name: "fold" },
      work,
    );
    expect(await done).toBe(7);
    const spans = await ended();
    const folds = spans.filter(({ name }) => name === "fold");
    expect(folds.map((span) => [span.spanContext().traceId.slice(0, 2), parentOf(span)])).toEqual([
      ["4b", "00f067aa0ba902b7"],
      ["aa", "aaf067aa0ba902b7"],
    ]);
    expect(folds[1]?.links.map(({ context }) => context.spanId)).toEqual([idOf(folds[0])]);
    const writes = spans.filter(({ name }) => name === "write rows");
    expect(writes.map(parentOf)).toEqual(folds.map(idOf));
  });

  it("is just done where none is sampled, and whatever is active here has no part in it", async () => {
    const { tracing, ended } = newTracing();
    const span = begun(tracing);
    await span.run(() =>
      tracing.withinEach([unsampled, undefined], { name: "commit" }, async () =>
        tracing.within({ name: "statement" }, async () => expect(tracing.traceparent()).toBeUndefined()),
      ),
    );
    span.end({}, null);
    expect((await ended()).map(({ name }) => name)).toEqual(["GET"]);
  });

  it("is shown in 128 traces at the most", async () => {
    const { tracing, ended } = newTracing(0);
    const many = Array.from({ length: 300 }, (_, n) => caller.replace("4bf9", (n + 4096).toString(16)));
    await tracing.withinEach(many, { name: "fold" }, async () => undefined);
    expect(await ended()).toHaveLength(128);
  });

  it("that fails has the type of its error and no word of it", async () => {
    const { tracing, ended } = newTracing(0);
    const work = (): Promise<never> => Promise.reject(new RangeError("of learner ada, password hunter2"));
    await expect(tracing.withinEach([caller], { name: "fold" }, work)).rejects.toThrow(RangeError);
    const [span] = await ended();
    expect(span?.status).toEqual({ code: 2 });
    expect(span?.attributes).toEqual({ "error.type": "RangeError" });
    expect(span?.events).toEqual([]);
  });
});

it("tells what became of the spans", async () => {
  const { tracing, ended, exports } = newTracing(0);
  await tracing.withinEach([caller], { name: "fold" }, async () => undefined);
  await ended();
  expect(exports).toEqual([{ spans: 1, failed: false }]);
});
