export const fold = (n: number): number => n + 1;
