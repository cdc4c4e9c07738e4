"""Every response time of the run, by name and by second: Locust's own percentiles are rounded to two digits."""

import json
import time
from array import array
from collections import defaultdict

import gevent
from content import checks, fresh_answers, ready_made
from locust import __version__
from settings import settings

_SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


def percentile(ordered, share: float):
    """The smallest value that so large a share does not exceed (nearest rank); null where there is none."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 10_000) * len(ordered) // 10_000) - 1))]


class Recorder:
    def __init__(self) -> None:
        self.began = time.monotonic()
        self.began_at = time.time()
        self.times: dict[str, array] = defaultdict(lambda: array("d"))
        self.failed: dict[str, int] = defaultdict(int)
        self.sessions: dict[str, int] = defaultdict(int)
        self.ended = self.began
        self.accepted = 0
        # Refused with 429 or 503; these failed as well.
        self.shed = 0
        self.series: list[dict] = []
        self._second: list[tuple[str, float, bool]] = []

    def on_request(self, name, response_time, exception, response=None, **_) -> None:
        self.ended = time.monotonic()
        self.times[name].append(response_time)
        if getattr(response, "status_code", 0) in (429, 503):
            self.shed += 1
        if exception is not None:
            self.failed[name] += 1
        self._second.append((name, response_time, exception is not None))

    def watch(self, runner) -> None:
        """A line a second, until the run is over."""
        last = time.monotonic()
        while runner.state not in ("stopped", "cleanup"):
            gevent.sleep(1)
            now = time.monotonic()
            self._close_second(now - last, now - self.began, runner.user_count)
            last = now

    def _close_second(self, seconds: float, at: float, users: int) -> None:
        requests, self._second = self._second, []
        every = sorted(one for _, one, _ in requests)
        of_next = sorted(one for name, one, _ in requests if name == "next")
        failed = sum(1 for *_, bad in requests if bad)
        self.series.append(
            {
                "t": at,
                "perSecond": len(requests) / seconds,
                "errorRate": failed / len(requests) if requests else 0,
                "dropped": 0,
                "users": users,
                **{name: percentile(every, share) for name, share in _SHARES.items()},
                "max": every[-1] if every else None,
                "nextP50": percentile(of_next, 0.5),
                "nextP95": percentile(of_next, 0.95),
                "nextP99": percentile(of_next, 0.99),
            }
        )

    def summary(self, stats) -> dict:
        every = sorted(one for times in self.times.values() for one in times)
        of_next = sorted(self.times["next"]) if "next" in self.times else []
        return {
            "version": __version__,
            "beganAt": 1000 * self.began_at,
            "seconds": self.ended - self.began,
            "all": self._figures(every, sum(self.failed.values())),
            "next": self._figures(of_next, self.failed["next"]),
            "requests": [
                {"name": name, **self._figures(sorted(times), self.failed[name])}
                for name, times in sorted(self.times.items())
            ],
            "checks": [{"name": name, **counts} for name, counts in checks.items()],
            "fresh": dict(fresh_answers),
            "readyMade": dict(ready_made),
            "sessions": dict(self.sessions),
            "accepted": self.accepted,
            "shed": self.shed,
            "series": self.series,
            "stats": [entry.to_dict() for entry in stats.entries.values()],
        }

    @staticmethod
    def _figures(ordered, failed: int) -> dict:
        return {
            "count": len(ordered),
            "failed": failed,
            "p50": percentile(ordered, 0.5),
            "p95": percentile(ordered, 0.95),
            "p99": percentile(ordered, 0.99),
            "max": ordered[-1] if ordered else None,
        }

    def judge(self, summary: dict) -> int:
        """0 where the limits are met, 99 where not: k6's exit code for it."""
        limits = settings["limits"]
        requests = summary["all"]["count"]
        met = (
            requests > 0
            and summary["all"]["p95"] < limits["p95Ms"]
            and (summary["next"]["p95"] is None or summary["next"]["p95"] < limits["nextP95Ms"])
            and summary["all"]["failed"] < requests * limits["errorRate"]
            and not any(one["fails"] for one in summary["checks"])
            and summary["fresh"]["yes"] > 0.99 * sum(summary["fresh"].values())
        )
        return 0 if met else 99

    def write(self, summary: dict) -> None:
        with open(settings["summary"], "w", encoding="utf-8") as file:
            json.dump(summary, file)
