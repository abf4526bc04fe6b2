"""How the workers and the queues stand.

The database is imported where it is read: the timetable, the supervisor and the inference process live without it.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import orjson

from service.queue.heartbeat import DEAD
from service.queue.layout import Layout, present_layout
from service.queue.link import NAMESPACE, Client, client
from service.queue.task import Queue, queue_of

WORKERS = f"{NAMESPACE}:__workers__"


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """One worker process; `active` holds `task_id`, `name` and `running_s` of what it runs.

    `load` is that of its host over the last minute, per processor: beyond 1, work waits for one.
    """

    id: str
    host: str
    pid: int
    queues: list[str]
    concurrency: int
    active: list[dict[str, Any]]
    utilization_percent: float
    processed: int
    failed: int
    rss_mb: float
    started_at: datetime
    heartbeat_age_s: float
    tasks: list[str] = field(default_factory=list[str])  # names of what it can run
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One queue; the age is that of the task that waits longest in its lane, delayed ones not counted.

    What is held back by the bounds of its task, or by an ordered one before it, counts as waiting.
    """

    name: str
    priority: int
    scheduled: int
    waiting: int
    running: int
    dead: int
    oldest_age_s: float
    paused: bool


async def ping(url: str | None = None) -> None:
    """Wait for an answer of Redis, the broker's or the one at `url`; raises BrokerAway."""
    if url is None:
        await client().read(("PING",))
        return
    other = Client(url)
    try:
        await other.read(("PING",))
    finally:
        other.close()


async def worker_status() -> list[WorkerStatus]:
    """Return the workers that live, oldest first."""
    beats, profiles, clock = await client().read(
        ("ZRANGE", WORKERS, 0, -1, "WITHSCORES"),
        ("HGETALL", f"{NAMESPACE}:__profiles__"),
        ("TIME",),
    )
    known, now = _pairs(profiles), _seconds(clock)
    living: list[WorkerStatus] = []
    for worker, beat in _pairs(beats).items():
        age = now - float(beat) / 1000
        if worker not in known or age > DEAD:
            continue
        profile = orjson.loads(known[worker])
        profile["started_at"] = datetime.fromtimestamp(profile["started_at"], UTC)
        busy = min(100.0, round(100 * len(profile["active"]) / profile["concurrency"], 1))
        living.append(
            WorkerStatus(id=worker.decode(), utilization_percent=busy, heartbeat_age_s=round(max(age, 0), 1), **profile)
        )
    return sorted(living, key=lambda worker: worker.started_at)


async def lost_workers(within: float) -> list[float]:
    """Return for each worker that ended without a farewell how long ago that was seen, at most `within` seconds.

    One that is silent, and that nobody has reaped yet, counts by its last sign of life.
    """
    reaped, beats, clock = await client().read(
        ("ZRANGE", f"{NAMESPACE}:__lost__", 0, -1, "WITHSCORES"), ("ZRANGE", WORKERS, 0, -1, "WITHSCORES"), ("TIME",)
    )
    now = _seconds(clock)
    silent = [now - float(at) / 1000 for at in _pairs(beats).values()]
    ages = [now - float(at) / 1000 for at in _pairs(reaped).values()] + [age for age in silent if age > DEAD]
    return sorted(max(0.0, age) for age in ages if age <= within)


async def eviction_policy() -> str:
    """Return what the broker's Redis does when its memory is full; tasks are only safe with `noeviction`."""
    [answer] = await client().read(("INFO", "memory"))
    lines = (line.partition(":") for line in answer.decode().splitlines())
    return next((value.strip() for name, _, value in lines if name == "maxmemory_policy"), "unknown")


@dataclass(frozen=True, slots=True)
class Backlog:
    """All queues together: tasks that wait and that run, and for how long the oldest has waited."""

    waiting: int
    running: int
    oldest_age_s: float


async def backlog() -> Backlog:
    """Return what waits and runs in all declared queues that are not paused, by Redis alone."""
    depths = [depth for depth in await _depths() if not depth.paused]
    waiting, running = sum(depth.waiting for depth in depths), sum(depth.running for depth in depths)
    return Backlog(waiting, running, max((depth.oldest_age_s for depth in depths), default=0.0))


async def queue_status() -> list[QueueStatus]:
    """Return every declared queue, the most urgent first."""
    from service.queue.dead_letters import dead_by_queue

    depths, dead = await _depths(), await dead_by_queue()
    return [replace(depth, dead=dead.get(depth.name, 0)) for depth in depths]


async def _depths() -> list[QueueStatus]:
    queues = sorted(Queue.registry.values(), key=lambda queue: (-queue.priority, queue.name))
    layout = await present_layout()
    lanes = {queue.name: _lanes(queue, layout) for queue in queues}
    every = [lane for queue in queues for lane in lanes[queue.name]]
    due = [("ZCARD", f"{NAMESPACE}:{queue.name}:due") for queue in queues]
    messages = [("HLEN", f"{NAMESPACE}:{queue.name}.msgs") for queue in queues]
    firsts = [("LINDEX", f"{NAMESPACE}:{lane}", 0) for lane in every]
    replies = await client().read(*due, *messages, *firsts, ("ZRANGE", WORKERS, 0, -1), ("TIME",))
    n = len(queues)
    scheduled, known, oldest, workers, now = replies[:n], replies[n : 2 * n], replies[2 * n : -2], *replies[-2:]
    ages = await client().read(*[("HGET", f"{NAMESPACE}:task:{(id or b'').decode()}", "t") for id in oldest])
    age = {lane: max(0.0, _seconds(now) - int(at) / 1000) if at else 0.0 for lane, at in zip(every, ages, strict=True)}
    claims = await client().read(*[("HVALS", f"{NAMESPACE}:claims:{worker.decode()}") for worker in workers])
    running = Counter(queue_of(lane.decode()) for held in claims for lane in held)
    return [
        QueueStatus(
            name=queue.name,
            priority=queue.priority,
            scheduled=scheduled[i],
            waiting=max(0, known[i] - scheduled[i] - running[queue.name]),
            running=running[queue.name],
            dead=0,
            oldest_age_s=round(max(age[lane] for lane in lanes[queue.name]), 1),
            paused=queue.name in layout.paused,
        )
        for i, queue in enumerate(queues)
    ]


def _lanes(queue: Queue, layout: Layout) -> list[str]:
    return [*(name for name, *_ in queue.lanes(layout.ranks.get(queue.name, ()))), f"{queue.name}:suspect"]


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _seconds(clock: list[bytes]) -> float:
    return int(clock[0]) + int(clock[1]) / 1e6
