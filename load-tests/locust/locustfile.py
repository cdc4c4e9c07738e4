"""The program that Locust runs: load-tests/runner/run-locust.ts starts it. Users are started in load order, for a stated time."""

import gevent
from locust import events
from personas import (  # noqa: F401  (Locust finds its users in this module)
    Analyst,
    Author,
    CasualUser,
    Operator,
    PowerUser,
    RegularLearner,
    recorder,
)


@events.test_start.add_listener
def _(environment, **__):
    gevent.spawn(recorder.watch, environment.runner)


@events.request.add_listener
def _(name, response_time, exception, **rest):
    recorder.on_request(name, response_time, exception, **rest)


@events.quitting.add_listener
def _(environment, **__):
    summary = recorder.summary(environment.stats)
    recorder.write(summary)
    environment.process_exit_code = recorder.judge(summary)
