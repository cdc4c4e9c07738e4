export const systemClock = { now: () => 0 };
