/** The number given with an option of the command line; throws a line for the user where it is none. */
export function wholeNumber(option: string, given: unknown): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} ${given}: a whole number from 1 on`);
  return value;
}

/** Those of several options, by name. */
export function wholeNumbers<Name extends string>(
  values: Readonly<Partial<Record<Name, string | boolean>>>,
  ...names: readonly Name[]
): Record<Name, number> {
  const entries = names.map((name) => [name, wholeNumber(`--${name}`, values[name])] as const);
  return Object.fromEntries(entries) as Record<Name, number>;
}
