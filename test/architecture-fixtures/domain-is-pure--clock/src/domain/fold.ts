export const age = (at: number): number => Date.now() - at;
