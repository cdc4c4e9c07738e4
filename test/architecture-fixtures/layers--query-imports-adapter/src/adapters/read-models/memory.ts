export const rows = new Map<string, string>();
