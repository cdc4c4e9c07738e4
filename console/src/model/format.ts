const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (n: number): string => whole.format(n);

/** Events or requests a second; "-" where it is not known. */
export function rate(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return "-";
  return n < 10 && n > 0 ? fine.format(n) : whole.format(n);
}

export const percent = (share: number): string => `${whole.format(100 * share)} %`;

/** Of what is almost always so: "99.95 %". Never rounded up to all of it. */
export const share = (of: number): string => `${Math.floor(10_000 * of) / 100} %`;

/** A length of time in its largest unit, and the next where it says something: "0.2 s", "48 s", "3 min 5 s", "2 h 10 min", "4 d". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "-";
  if (!Number.isFinite(seconds)) return "never";
  if (seconds < 10) return `${fine.format(seconds)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3_600) return two(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86_400) return two(Math.floor(s / 3_600), "h", Math.floor((s % 3_600) / 60), "min");
  return two(Math.floor(s / 86_400), "d", Math.floor((s % 86_400) / 3_600), "h");
}

const two = (major: number, unit: string, minor: number, small: string): string =>
  minor === 0 ? `${major} ${unit}` : `${major} ${unit} ${minor} ${small}`;

export const agoOf = (iso: string, now: number): string =>
  `${duration(Math.max(0, Math.round((now - Date.parse(iso)) / 1000)))} ago`;

/** In the place's own time: "28 Nov 2026, 08:15:03". */
export const time = (iso: string): string =>
  new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
