/** By which configuration, events and stored weights know the models. */
export const modelNames = ["lr-full", "lr-lite", "elo"] as const;
export type ModelName = (typeof modelNames)[number];
export const defaultModel: ModelName = "lr-full";
