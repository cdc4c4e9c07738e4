import type { ItemBank } from "../domain/item-selection/selection.ts";
import { bankOfLearner } from "../domain/learner/select-for-learner.ts";
import { itemStream } from "../domain/streams.ts";
import type { CatalogueReader } from "../ports/catalogue-reader.ts";
import type { StoredList } from "../projections/next-items.ts";
import type { NextRequest } from "./next-request.ts";

/**
 * A list was made of the policy, the pins and bars as they stood at the learner's last event. Where the track was defined
 * anew since, it is selected anew; and so is a list that says to stop, where anything was published since.
 */
function isCurrent(
  { policyVersion, items, position }: StoredList,
  bank: ItemBank | null,
  catalogue: CatalogueReader,
): boolean {
  const now = bank?.policyVersion;
  if (now === undefined || (policyVersion !== now && !policyVersion.startsWith(`${now}/`))) return false;
  return items.ids.length > 0 || catalogue.catalogue.position <= position;
}

const boundsSessions = ({ policy: { sessionBudget } }: ItemBank): boolean =>
  sessionBudget.minutes !== null || sessionBudget.items !== null;

/** `bank`: of its track, now. A list of a track that was retired since serves nobody; one of all items serves on when the track comes back. */
export function serves(
  list: StoredList,
  bank: ItemBank | null,
  learnerId: string,
  request: NextRequest,
  catalogue: CatalogueReader,
): boolean {
  return (
    (request.sessionId === undefined || !boundsSessions(bankOfLearner(learnerId, list.trackId, catalogue.bank))) &&
    list.sessionType === request.sessionType &&
    request.skillIds === null &&
    (request.trackId === null || request.trackId === list.trackId) &&
    isCurrent(list, bank, catalogue)
  );
}

/**
 * Whether it names an item that this process has not heard of yet: the projector follows the catalogue by itself. What this process heard
 * of and cannot read is not waited for.
 */
export const isAhead = ({ items }: StoredList, { catalogue }: CatalogueReader): boolean =>
  items.ids.some((id) => !catalogue.items.has(id) && !catalogue.unreadable.has(itemStream(id)));
