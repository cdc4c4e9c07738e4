"""What an answer must never hold, and what it must: load-tests/k6/content.ts in Python, and more for sessions."""

import sys
import time
from collections import defaultdict

from learners import VAULT_SKILL
from settings import items, settings

checks: dict[str, dict[str, int]] = defaultdict(lambda: {"passes": 0, "fails": 0})
fresh_answers = {"yes": 0, "no": 0}
# Lists that were ready, and not chosen when asked for.
ready_made = {"yes": 0, "no": 0}
# Items that authors of this run retired, and when (time.monotonic()).
retired_now: dict[str, float] = {}

_RETIRED = frozenset(settings["retired"])
_BARRED = frozenset(settings["barred"])
# The catalogue of every process follows the log within this time.
_FOLLOWS_SECONDS = 2.0
_ROUNDING = 0.0002
_SHOWN_MAX = 10
_shown = 0


def hold(name: str, ok: bool, found: object) -> bool:
    """Counts the check, and prints the first that are broken."""
    global _shown
    checks[name]["passes" if ok else "fails"] += 1
    if not ok and _shown < _SHOWN_MAX:
        _shown += 1
        print(f"{name}: {found}", file=sys.stderr)
    return ok


def check_list(listed: dict, learner_id: str, count: int, exclude: list[str], track: str | None, asked_at: float) -> None:
    """Holds for every list; `asked_at` is when it was asked for (time.monotonic())."""
    if "computed" in listed:
        ready_made["yes" if listed["computed"] == "precomputed" else "no"] += 1
    ids = [item["itemId"] for item in listed["items"]]
    hold("the list is of the learner asked for", listed["learnerId"] == learner_id, listed)
    hold("no more items than asked for, none twice", len(ids) <= count and len(set(ids)) == len(ids), ids)
    hold("p is a probability", all(0 <= item["p"] <= 1 for item in listed["items"]), listed)
    hold("no retired item", _RETIRED.isdisjoint(ids), ids)
    gone = [one for one in ids if retired_now.get(one, float("inf")) < asked_at - _FOLLOWS_SECONDS]
    hold("an item retired two seconds ago is gone", not gone, gone)
    hold("no excluded item", set(exclude).isdisjoint(ids), ids)
    locked = [one for one in ids if VAULT_SKILL in items.get(one, {"skillIds": []})["skillIds"]]
    hold("no item behind the locked door", not locked, locked)
    if track is not None:
        hold("no item that the track bars", _BARRED.isdisjoint(ids), ids)


def check_fresh(listed: dict, before: dict, item_id: str) -> None:
    """The list that was asked for with the token of an answer; `before` is the list that was answered."""
    fresh = listed.get("fresh") is True
    fresh_answers["yes" if fresh else "no"] += 1
    if fresh:
        hold("a fresh list includes the answer", listed["revision"] > before["revision"], listed["revision"])
        ids = [item["itemId"] for item in listed["items"]]
        # Unless it is all there is: a review in which nothing else is due.
        again = item_id in ids and len(ids) > 1
        hold("a fresh list does not ask again what was just answered", not again, ids)


def check_locks(listed: dict, scores: dict) -> None:
    """Every prerequisite of what is served is held, by the mastery that the same revision shows."""
    if listed["source"] != "personal" or scores["revision"] != listed["revision"]:
        return
    mastery = {skill["skillId"]: skill["mastery"] for skill in scores["skills"]}
    locked = [
        (item["itemId"], prerequisite, mastery.get(prerequisite, 0))
        for item in listed["items"]
        for skill_id in items.get(item["itemId"], {"skillIds": []})["skillIds"]
        for prerequisite, share in settings["prerequisites"].get(skill_id, {}).items()
        if mastery.get(prerequisite, 0) + _ROUNDING < settings["prerequisiteThreshold"] * share
    ]
    hold("no item with a prerequisite that is not held", not locked, locked)


def now() -> float:
    return time.monotonic()
