/** Names of streams: `<category>-<id>`, and the single stream `model`. */
export const streamCategories = ["learner", "item", "skill", "track", "model", "served"] as const;
export type StreamCategory = (typeof streamCategories)[number];

export const modelStream = "model";
/** Lists given to a learner: apart from what the learner did, see ADR 27. */
export const servedStream = (learnerId: string): string => `served-${learnerId}`;
export const learnerStream = (learnerId: string): string => `learner-${learnerId}`;
export const itemStream = (itemId: string): string => `item-${itemId}`;
export const skillStream = (skillId: string): string => `skill-${skillId}`;
export const trackStream = (trackId: string): string => `track-${trackId}`;

/** The part before the first dash. */
export function categoryOf(stream: string): string {
  const dash = stream.indexOf("-");
  return dash < 0 ? stream : stream.slice(0, dash);
}

/** The part after the first dash; the empty string for a stream without one. */
export function idOf(stream: string): string {
  const dash = stream.indexOf("-");
  return dash < 0 ? "" : stream.slice(dash + 1);
}
