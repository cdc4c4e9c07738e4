/** One line of `proximal doctor`. */
export interface Check {
  readonly what: string;
  readonly result: "ok" | "warn" | "fail";
  readonly found: string;
  /** What to do about it; "" where nothing. */
  readonly advice: string;
}

export const ok = (what: string, found: string): Check => ({ what, result: "ok", found, advice: "" });
export const warn = (what: string, found: string, advice: string): Check => ({ what, result: "warn", found, advice });
export const fail = (what: string, found: string, advice: string): Check => ({ what, result: "fail", found, advice });
