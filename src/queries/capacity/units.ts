/** Numbers as people read them in a plan. */

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** 1,234,567 -> "1.2 MB"; powers of 1,000, as disks and prices have them. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < byteUnits.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : value.toFixed(0)} ${byteUnits[unit]}`;
}

/** To three digits: 12.34 -> "12.3", 12345 -> "12,300". */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return "without bound";
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? rounded.toLocaleString("en-US") : String(rounded);
}

export const percentText = (share: number): string =>
  `${share > 0 && share < 0.01 ? numberText(share * 100) : Math.round(share * 100)} %`;

export const msText = (ms: number): string => (ms >= 9999.5 ? `${numberText(ms / 1000)} s` : `${numberText(ms)} ms`);
