import type { Experiment, ExperimentArm } from "../events.ts";
import { seededRandom } from "../random.ts";

/**
 * The arm of a learner, by weighted rendezvous hashing (Thaler and Ravishankar 1998; weights: Schindelhauer and Schomaker
 * 2005): each arm draws an exponential waiting time at the rate of its share, from a hash of experiment, salt, arm and
 * learner, and the first to come takes the learner. So each arm gets its share of the learners, whoever asks gets the
 * same answer without a table, and where shares change the only learners that move are those that an arm loses to one
 * whose share grew in proportion to its own.
 *
 * Throws where no arm has a share: such an experiment is refused when it is defined.
 */
export function armOf(experiment: Experiment, learnerId: string): Experiment["arms"][number] {
  const { experimentId, salt, arms } = experiment;
  let first: Experiment["arms"][number] | null = null;
  let firstAt = Number.POSITIVE_INFINITY;
  for (const arm of arms) {
    if (arm.share === 0) continue;
    // Ids hold no line breaks, and the salt is closed in by them, so that no two of these read the same.
    const at = -Math.log(unitInterval(`${learnerId}\n${arm.arm}\n${experimentId}\n${salt}`)) / arm.share;
    if (at >= firstAt) continue;
    first = arm;
    firstAt = at;
  }
  if (first === null) throw new Error(`experiment ${experimentId} has no arm with a share`);
  return first;
}

/** The same as it is named in events and answers; null where the track runs no experiment. */
export function armIn(
  track: { readonly experiment?: Experiment | undefined; readonly retired: boolean } | undefined,
  learnerId: string,
): ExperimentArm | null {
  if (track?.experiment === undefined || track.retired) return null;
  const { experimentId } = track.experiment;
  return { experimentId, arm: armOf(track.experiment, learnerId).arm };
}

/** In (0, 1]. */
function unitInterval(text: string): number {
  return 1 - seededRandom(text)();
}
