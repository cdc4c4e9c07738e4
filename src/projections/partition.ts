/** Which of `partitions` a learner belongs to, for ever: FNV-1a over the id's UTF-16 units. */
export function partitionOf(learnerId: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = 2_166_136_261;
  for (let at = 0; at < learnerId.length; at += 1) hash = Math.imul(hash ^ learnerId.charCodeAt(at), 16_777_619);
  return (hash >>> 0) % partitions;
}
