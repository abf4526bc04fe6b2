"""The history of the queues, as it is drawn: over an hour by the minute, over a day by ten minutes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import text

from service.database import ReadSession
from service.queue.durations import quantile

Span = Literal["1h", "24h"]

SPANS: Final[dict[Span, tuple[timedelta, timedelta]]] = {
    "1h": (timedelta(hours=1), timedelta(minutes=1)),
    "24h": (timedelta(days=1), timedelta(minutes=10)),
}  # and the width of a step in it
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SUMS = text(
    """SELECT date_bin(:step, minute, :epoch) AS at, queue, avg(waiting) AS waiting, max(oldest_age_s) AS age,
           sum(succeeded) AS succeeded, sum(failed) AS failed, sum(retried) AS retried, count(*) AS minutes
    FROM queue_minutes WHERE minute >= :since AND (CAST(:queue AS text) IS NULL OR queue = :queue)
    GROUP BY 1, 2 ORDER BY 1, 2"""
)
_DURATIONS = text(
    """SELECT date_bin(:step, minute, :epoch) AS at, CAST(key AS int) AS bucket, sum(CAST(value AS int)) AS runs
    FROM queue_minutes, jsonb_each_text(durations)
    WHERE minute >= :since AND (CAST(:queue AS text) IS NULL OR queue = :queue) GROUP BY 1, 2"""
)
_TASKS = text(
    """SELECT task.key AS name, status.key AS status, sum(CAST(status.value AS int)) AS runs
    FROM queue_minutes, jsonb_each(tasks) AS task, jsonb_each_text(task.value) AS status
    WHERE minute >= :since GROUP BY 1, 2"""
)


@dataclass(slots=True)
class Step:
    """What happened in one step of a span; times in seconds, rates per minute, None where nothing is known."""

    at: datetime
    waiting: dict[str, float] = field(default_factory=dict[str, float])  # by queue
    age: float | None = None  # of what waits longest
    succeeded: float | None = None
    failed: float | None = None
    retried: float | None = None
    p50: float | None = None
    p95: float | None = None


async def history(session: ReadSession, span: Span, queue: str | None, now: datetime) -> list[Step]:
    """Return the steps of a span up to now, of one queue or of all, oldest first; gaps are steps without figures."""
    length, width = SPANS[span]
    first = EPOCH + ((now - length - EPOCH) // width + 1) * width
    steps = {first + n * width: Step(first + n * width) for n in range(length // width)}
    asked = {"step": width, "epoch": EPOCH, "since": first, "queue": queue}
    for row in await session.execute(_SUMS, asked):
        if (step := steps.get(row.at)) is None:
            continue
        if row.waiting is not None:
            step.waiting[row.queue] = float(row.waiting)
            step.age = max(step.age or 0, row.age)
        step.succeeded = (step.succeeded or 0) + float(row.succeeded / row.minutes)
        step.failed = (step.failed or 0) + float(row.failed / row.minutes)
        step.retried = (step.retried or 0) + float(row.retried / row.minutes)
    durations: dict[datetime, dict[int, int]] = {}
    for row in await session.execute(_DURATIONS, asked):
        durations.setdefault(row.at, {})[row.bucket] = row.runs
    for at, counts in durations.items():
        if (step := steps.get(at)) is not None:
            step.p50, step.p95 = quantile(counts, 0.5), quantile(counts, 0.95)
    return list(steps.values())


async def runs_since(session: ReadSession, since: datetime) -> dict[str, dict[str, int]]:
    """Return how many tasks ended since then, by name and status; the minute that is running is not yet in it."""
    found: dict[str, dict[str, int]] = {}
    for row in await session.execute(_TASKS, {"since": since}):
        found.setdefault(row.name, {})[row.status] = row.runs
    return found


async def rates(session: ReadSession, now: datetime) -> dict[str, float]:
    """Return how many tasks a minute ended lately in each queue: the mean of its last five minutes."""
    lately = text(
        """SELECT queue, avg(succeeded + failed) AS rate FROM queue_minutes WHERE minute >= :since GROUP BY queue"""
    )
    return {row.queue: float(row.rate) for row in await session.execute(lately, {"since": now - timedelta(minutes=6)})}
