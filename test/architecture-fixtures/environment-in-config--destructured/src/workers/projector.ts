const { env } = process;

export const batch = Number(env.BATCH);
