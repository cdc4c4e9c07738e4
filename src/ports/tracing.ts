/**
 * Spans, as OpenTelemetry has them. Where nothing is traced there is no object of this kind: whoever may be given one takes
 * `Tracing | undefined`, and an absent one costs a comparison.
 */
export interface Tracing {
  /** Begins the first span of this process for a request. null: this request is not sampled. */
  begin(span: SpanStart, traceparent: string | undefined): OpenSpan | null;
  /** Does the work as a span within what is active; where nothing is, it is just done. */
  within<T>(span: SpanStart, work: () => Promise<T>): Promise<T>;
  /**
   * Does work that serves several traces at once: a span in each of those that are sampled, with the same times. `traceparents`
   * may repeat, and hold what is absent or not sampled.
   */
  withinEach<T>(traceparents: Iterable<string | undefined>, span: SpanStart, work: () => Promise<T>): Promise<T>;
  /** Notes within what is active what ended just now and took so long. */
  ended(span: SpanStart, durationMs: number, errorType: string | null): void;
  /** Names what is active by its route, and adds attributes. */
  name(name: string, attributes: SpanAttributes): void;
  /** W3C trace context of what is active, to be handed on; undefined where nothing is. */
  traceparent(): string | undefined;
}

export interface SpanStart {
  readonly name: string;
  readonly kind?: "server" | "client" | "producer" | "consumer";
  readonly attributes?: SpanAttributes;
}

/** Never an id of a learner, a text of an error, or anything that a caller wrote. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface OpenSpan {
  /** Runs with the span active, and all that follows from it. */
  run<T>(work: () => T): T;
  end(attributes: SpanAttributes, errorType: string | null): void;
}
