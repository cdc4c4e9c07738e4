"""Who uses Proximal, and how. Each has sessions: they think, answer, leave, and come back as the same person."""

import itertools
import random

import gevent
from content import check_fresh, check_list, check_locks, hold, now, retired_now
from learners import Learner, learner_name
from locust import FastHttpUser, task
from recorder import Recorder
from settings import items, settings

recorder = Recorder()
_people = itertools.count()
_created = itertools.count()
_COUNT = 10
_TRACK = settings["trackId"]


class Person(FastHttpUser):
    """What all have in common: a key, and names for requests, so that figures are of few kinds."""

    abstract = True
    host = settings["queryUrl"]
    connection_timeout = 15.0
    network_timeout = 15.0
    # Seconds between two sessions: an evening, made short.
    away = (8, 20)

    def on_start(self) -> None:
        # Not all at once.
        gevent.sleep(random.random() * 3)

    @task
    def session(self) -> None:
        recorder.sessions[type(self).__name__] += 1
        self.visit()
        gevent.sleep(random.uniform(*self.away))

    def visit(self) -> None:
        raise NotImplementedError

    def ask(self, name: str, path: str):
        return self._json(self.client.get(path, name=name, headers=self._headers()))

    def command(self, name: str, path: str, body: object, method: str = "POST"):
        url = f"{settings['commandUrl']}{path}"
        return self._json(self.client.request(method, url, name=name, json=body, headers=self._headers()))

    @staticmethod
    def _headers() -> dict:
        return {"authorization": f"Bearer {settings['key']}"}

    @staticmethod
    def _json(reply):
        if not reply.ok:
            return None
        try:
            return reply.json()
        except ValueError:
            hold("answers are JSON", False, reply.text[:200])
            return None


class Learns(Person):
    """Somebody who works through lists."""

    abstract = True
    seconds_per_item = 3.0

    def on_start(self) -> None:
        self.learner = self.new_learner()
        super().on_start()

    def new_learner(self) -> Learner:
        return Learner(next(_people) % settings["load"]["users"], self.seconds_per_item)

    def next_list(self, name="next", after=None, exclude=(), track=None, session=None):
        query = [f"count={_COUNT}"]
        query += [f"after={after}"] if after else []
        query += [f"exclude={','.join(exclude)}"] if exclude else []
        query += [f"track={track}"] if track else []
        query += [f"session={session}"] if session else []
        learner_id = self.learner.learner_id
        asked_at = now()
        listed = self.ask(name, f"/v1/learners/{learner_id}/next?{'&'.join(query)}")
        if listed is not None:
            check_list(listed, learner_id, _COUNT, list(exclude), track, asked_at)
        return listed

    def post_answer(self, listed: dict, item: dict):
        """The token of the post, null where it failed."""
        seconds = self.learner.think()
        gevent.sleep(seconds)
        body = {
            "learnerId": self.learner.learner_id,
            "itemId": item["itemId"],
            "kind": "answer",
            "correct": self.learner.answer(item),
            "durationMs": round(seconds * 1000),
        }
        body |= {name: listed[name] for name in ("selectionId", "trackId") if listed.get(name)}
        posted = self.command("answer", "/v1/interactions", body)
        if posted is None:
            return None
        recorder.accepted += posted["accepted"]
        return posted["tokens"].get(self.learner.learner_id)

    def steps(self, count: int, track=None, exclude_some=False, session=None) -> None:
        """One list after the other, each with what was just answered in it."""
        listed = self.next_list(track=track, session=session)
        for _ in range(count):
            item = items.get(listed["items"][0]["itemId"]) if listed and listed["items"] else None
            if item is None:
                return
            token = self.post_answer(listed, item)
            if token is None:
                return
            exclude = [one["itemId"] for one in listed["items"][1:3]] if exclude_some else []
            before, listed = listed, self.next_list("next_after", token, exclude, track, session)
            if listed is None:
                return
            check_fresh(listed, before, item["itemId"])
            if session is None and random.random() < 0.1:
                scores = self.ask("scores", f"/v1/learners/{self.learner.learner_id}/scores")
                if scores is not None:
                    check_locks(listed, scores)


class RegularLearner(Learns):
    """Comes most days, and does some ten items."""

    weight = 60

    def visit(self) -> None:
        self.steps(random.randint(5, 12))


class PowerUser(Learns):
    """Quick and thorough: a track, items put aside, then what is due, and how it went."""

    weight = 10
    seconds_per_item = 1.0
    away = (3, 8)

    def visit(self) -> None:
        self.steps(random.randint(15, 30), track=_TRACK, exclude_some=True)
        learner_id = self.learner.learner_id
        self.ask("reviews", f"/v1/learners/{learner_id}/reviews")
        self.steps(5, session="review")
        self.ask("scores", f"/v1/learners/{learner_id}/scores")
        self.ask("history", f"/v1/learners/{learner_id}/history?count=20")


class CasualUser(Learns):
    """Looks in, skips, asks for hints; every third one was never here before."""

    weight = 20
    seconds_per_item = 5.0
    away = (10, 30)

    def new_learner(self) -> Learner:
        learner = super().new_learner()
        if learner.index % 3 == 0:
            learner.learner_id = f"new-{learner.learner_id}"
        return learner

    def visit(self) -> None:
        self.ask("popular", "/v1/popular?window=week")
        listed = self.next_list()
        for shown in (listed or {"items": []})["items"][:2]:
            kind = random.choice(["view", "skip", "hint"])
            body = {"learnerId": self.learner.learner_id, "itemId": shown["itemId"], "kind": kind}
            posted = self.command("answer", "/v1/interactions", body)
            recorder.accepted += posted["accepted"] if posted else 0
            gevent.sleep(self.learner.think())
        self.steps(random.randint(1, 3))


class Author(Person):
    """Publishes items, mends them, takes them back, and looks how items do."""

    weight = 3
    away = (2, 6)

    def visit(self) -> None:
        like = random.choice(list(items.values()))
        item_id = f"draft-{next(_created)}"
        item = {"itemId": item_id, "title": "A draft", "skillIds": like["skillIds"], "difficulty": like["difficulty"]}
        if self.command("publish", "/v1/items", item) is None:
            return
        gevent.sleep(random.uniform(1, 3))
        self.command("publish", "/v1/items", item | {"title": "A better draft"})
        self.ask("item_stats", f"/v1/items/{like['itemId']}/stats")
        self.ask("policy", f"/v1/tracks/{_TRACK}/policy")
        gevent.sleep(random.uniform(1, 3))
        reply = self.client.delete(
            f"{settings['commandUrl']}/v1/items/{item_id}", name="retire", headers=self._headers()
        )
        if reply.ok:
            retired_now[item_id] = now()


class Analyst(Person):
    """Reads the log by pages, asks what was known, and why a list is as it is."""

    weight = 3
    away = (2, 6)

    def on_start(self) -> None:
        self.position = 0
        super().on_start()

    def visit(self) -> None:
        for _ in range(random.randint(2, 5)):
            path = f"/v1/events?type=InteractionRecorded&after={self.position}&limit=200"
            reply = self.client.get(path, name="events", headers=self._headers())
            lines = [line for line in (reply.text or "").splitlines() if line] if reply.ok else []
            positions = [event_position(line) for line in lines]
            if positions:
                ordered = all(a < b for a, b in itertools.pairwise([self.position, *positions]))
                hold("events come in order", ordered, positions[:3])
                self.position = positions[-1]
            gevent.sleep(random.uniform(0.5, 2))
        learner_id = learner_name(random.randrange(settings["load"]["users"]))
        self.ask("explain", f"/v1/learners/{learner_id}/explain")
        self.ask("popular", "/v1/popular?window=all")


def event_position(line: str) -> int:
    """Of an event in NDJSON, without parsing the rest of it."""
    return int(line.split('"position":', 1)[1].split(",", 1)[0].rstrip("}"))


class Operator(Person):
    """Watches: is it ready, how far behind, who is set aside?"""

    weight = 4
    away = (3, 6)

    def visit(self) -> None:
        self.ask("ready", "/readyz")
        lag = self.ask("lag", "/v1/ops/lag")
        if lag is not None:
            started = all(one["started"] for one in lag["projections"])
            hold("every projection has started", started, lag)
        self.ask("parked", "/v1/ops/parked")


PERSONAS = [RegularLearner, PowerUser, CasualUser, Author, Analyst, Operator]
