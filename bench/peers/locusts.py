"""The users of a crowd, run by Locust without its page: reads a plan, writes an outcome (bench/crowd.py)."""

import gc
import json
import random
import string
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import gevent
from locust import FastHttpUser, between, events, task
from locust.env import Environment

from bench.crowd import Outcome, Plan

LOOK = 0.2  # seconds between two searches for a change
PATIENCE = 60.0  # seconds for a change to be found


@dataclass(slots=True)
class Crowd:
    """What the users of this process are asked to do, and what they saw."""

    plan: Plan
    measured_from: float = 0.0
    until: float = 0.0
    times: dict[str, list[float]] = field(default_factory=lambda: {"search": [], "read": [], "update": []})
    reasons: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    freshness: list[float] = field(default_factory=list)

    def measuring(self) -> bool:
        return self.measured_from <= time.perf_counter() <= self.until


crowd: Crowd


def word() -> str:
    """Return a word that no text holds."""
    return "zq" + "".join(random.choices(string.ascii_lowercase, k=14))


class Person(FastHttpUser):
    """The user of the seeds' load test."""

    abstract = True

    def wait_time(self) -> float:
        return between(*crowd.plan.waits)(self)

    def find(self, query: str, name: str) -> bool:
        """Search; tell whether something was found."""
        parameters = {"query": query, **crowd.plan.options}
        answer = self.client.get("/search", params=parameters, headers=crowd.plan.headers, name=name)
        return b'"id"' in (answer.content or b"")

    def rename(self, resource_id: str, title: str, name: str) -> bool:
        """Change a title; tell whether that was answered well."""
        body = {"title": title}
        answer = self.client.put(f"/resources/{resource_id}", json=body, headers=crowd.plan.headers, name=name)
        changed = answer.status_code == 200
        crowd.counts["changed"] += changed
        return changed


class Visitor(Person):
    """Searches, reads and changes."""

    @task(3)
    def search(self) -> None:
        found = self.find(random.choice(crowd.plan.queries), "search")
        if crowd.measuring():
            crowd.counts["searches"] += 1
            crowd.counts["empty"] += not found

    @task(1)
    def read(self) -> None:
        id = random.choice(crowd.plan.ids)
        self.client.get(f"/resources/{id}", headers=crowd.plan.headers, name="read")

    @task(1)
    def update(self) -> None:
        self.rename(random.choice(crowd.plan.ids), f"Updated title {word()}", "update")


class Prober(Person):
    """Changes a resource of its own, and looks for it by the new word."""

    places = iter(range(1000))

    def on_start(self) -> None:
        self.own = crowd.plan.probed[next(self.places)]

    @task
    def probe(self) -> None:
        if time.perf_counter() > crowd.until:
            return
        sought = word()
        if not self.rename(self.own, f"Updated title {sought}", "probe"):
            return
        began = time.perf_counter()
        while time.perf_counter() - began < PATIENCE:
            # Asked in other words each time: a kept answer would show the age of the cache, not of the index.
            if self.find(f"{sought} -{word()}", "probe"):
                crowd.freshness.append(round(time.perf_counter() - began, 3))
                return
            gevent.sleep(LOOK)
        crowd.freshness.append(PATIENCE)
        crowd.counts["unseen"] += 1


@events.request.add_listener
def _note(name: str, response_time: float, exception: BaseException | None, **_: Any) -> None:
    if exception is not None:
        crowd.counts["errors"] += 1
        crowd.reasons.append(f"{name}: {exception}"[:300])
    elif name != "probe" and crowd.measuring():
        crowd.times[name].append(round(response_time, 2))


def main() -> None:
    """Run a plan to its end."""
    global crowd
    gc.disable()  # a collection here would count as the server's latency
    asked: dict[str, Any] = json.load(sys.stdin)
    plan = Plan(**asked)
    crowd = Crowd(plan)
    Prober.fixed_count = len(plan.probed)
    environment = Environment(
        user_classes=[Visitor, Prober] if plan.probed else [Visitor],
        events=events,
        host=f"http://127.0.0.1:{plan.port}",
        stop_timeout=PATIENCE + 5,
    )
    runner = environment.create_local_runner()
    users = plan.users + len(plan.probed)
    runner.start(users, spawn_rate=users)
    crowd.measured_from = time.perf_counter() + plan.warmup
    crowd.until = crowd.measured_from + plan.seconds
    gevent.sleep(plan.warmup + plan.seconds)
    runner.quit()
    counts, answered = crowd.counts, sum(map(len, crowd.times.values()))
    outcome = Outcome(
        answered=answered,
        errors=counts["errors"],
        reasons=crowd.reasons[:20],
        empty=counts["empty"],
        searches=counts["searches"],
        changed=counts["changed"],
        rate=round(answered / plan.seconds, 2),
        times=crowd.times,
        freshness=crowd.freshness,
        unseen=counts["unseen"],
    )
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
