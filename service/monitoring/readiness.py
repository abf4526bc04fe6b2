"""Is everything there that Pharos needs, and does everything keep up? Each check answers with a figure, and in words.

An `error` makes `/ready` 503: requests cannot be answered, or what they ask for would not be done. A `warning` does
not: somebody should look, before it becomes an error. Everybody may read it, so that no host and no folder is named.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from sqlalchemy import text

from service import queue, storage
from service.backups import actions as backups
from service.database import pool_status, reading
from service.outbox import backlog
from service.settings import settings

Check = dict[str, Any]

PATIENCE = 2.0  # seconds for one check
SILENCE = 15.0  # seconds without a sign of the timetable
QUEUE = {"broker", "cache", "workers", "scheduler", "queues", "schedules"}  # what nobody needs who runs tasks inline


async def _database() -> Check:
    began = perf_counter()
    async with reading() as session:
        await session.execute(text("SELECT 1"))
    return {"ok": True, "ms": _ms(began)}


async def _broker() -> Check:
    began = perf_counter()
    await queue.ping()
    check: Check = {"ok": True, "ms": _ms(began), "eviction": await queue.eviction_policy()}
    return check | _warning(
        check["eviction"] not in ("noeviction", "unknown"),
        f"The broker's Redis runs with {check['eviction']}: when its memory is full it throws tasks away. Set"
        " maxmemory-policy to noeviction; a cache that evicts belongs on a server of its own.",
    )


async def _cache() -> Check:
    began = perf_counter()
    try:
        await queue.ping(settings().cache_url)
    except queue.BrokerAway as error:
        reason = error.context["reason"]
        return {"ok": False, "error": f"The cache is away: {reason}. Until it is back everything is computed anew."}
    return {"ok": True, "ms": _ms(began)}


async def _outbox() -> Check:
    async with reading() as session:
        waiting, age = await backlog(session)
    check: Check = {"ok": age < settings().alert_outbox_seconds, "waiting": waiting, "age_s": round(max(age, 0.0), 1)}
    return check | _error(
        check, f"The outbox stands still: the oldest of {waiting:,} events has waited {age:.0f} s. Is the broker there?"
    )


async def _workers() -> Check:
    count = len(await queue.worker_status())
    lost = await queue.lost_workers(settings().alert_worker_seconds)
    check: Check = {"ok": count > 0, "count": count, "lost": len(lost)}
    if not count:
        return check | {"error": "No worker runs: tasks wait until one is started."}
    gone = "A worker is gone" if len(lost) == 1 else f"{len(lost)} workers are gone"
    return check | _warning(
        bool(lost),
        f"{gone} without a farewell, the last one {lost[0] if lost else 0:.0f} s ago. What it had in hand is done by"
        f" the {count} that run; the log says why it ended.",
    )


async def _scheduler() -> Check:
    age = await queue.scheduler_age()
    if age is None:
        return {"ok": False, "age_s": None, "error": "The timetable does not run."}
    check: Check = {"ok": age < SILENCE, "age_s": round(age, 1)}
    return check | _error(check, f"The timetable has been silent for {age:.0f} s.")


async def _queues() -> Check:
    most = settings().alert_queue_seconds
    queues = await queue.queue_status()
    oldest = max(queues, key=lambda one: one.oldest_age_s)
    late = [
        f"{one.name} (for {one.oldest_age_s:.0f} s, {one.waiting:,} wait{', it is paused' if one.paused else ''})"
        for one in queues
        if one.oldest_age_s > most
    ]
    check: Check = {"ok": True, "oldest_age_s": oldest.oldest_age_s, "waiting": sum(one.waiting for one in queues)}
    words = f"Tasks wait longer than {most:g} s in {', '.join(late)}: more comes in than the workers do. Start more?"
    return check | _warning(bool(late), words)


async def _schedules() -> Check:
    now, most = datetime.now(UTC), settings().alert_schedule_seconds
    late = {line.name: (now - line.next).total_seconds() for line in await queue.schedules()}
    missed = {name: seconds for name, seconds in late.items() if seconds > most}
    check: Check = {"ok": True, "missed": len(missed)}
    names = ", ".join(f"{name} ({seconds:.0f} s ago)" for name, seconds in sorted(missed.items()))
    return check | _warning(
        bool(missed), f"The timetable has missed {names}. It is made up for when the timetable runs."
    )


async def _pool() -> Check:
    status = pool_status()
    check: Check = {"ok": True, "in_use": status.checked_out, "max": status.max_connections}
    return check | _warning(
        status.utilization_percent > settings().alert_pool_percent,
        f"{status.checked_out} of the {status.max_connections} connections to PostgreSQL of this process are in use:"
        " requests will soon wait for one, and then fail.",
    )


async def _disk() -> Check:
    used = await asyncio.to_thread(_fullest)
    check: Check = {"ok": True, "used_percent": round(used, 1)}
    return check | _warning(
        used > settings().alert_disk_percent,
        f"A disk that Pharos writes to is {used:.0f} % full. When nothing is left, uploads are refused, and PostgreSQL"
        " stops.",
    )


def _fullest() -> float:
    folders = [settings().home, settings().backup_folder, storage.folder()]
    usages = [shutil.disk_usage(folder) for folder in folders if folder is not None and folder.exists()]
    return max((100 * usage.used / (usage.used + usage.free) for usage in usages), default=0.0)  # as `df` says it


async def _backup() -> Check:
    if settings().backup_folder is None:
        return {"ok": True, "age_s": None}
    async with reading() as session:
        newest = await backups.newest(session)
    age = None if newest is None or newest.ended_at is None else (datetime.now(UTC) - newest.ended_at).total_seconds()
    check: Check = {"ok": True, "age_s": None if age is None else round(age)}
    if age is None:
        async with reading() as session:
            reason = await backups.trouble(session)
        return check | _warning(
            reason is not None, f"There is no nightly backup yet, and the last try failed: {reason}"
        )
    old = age > settings().alert_backup_hours * 3600
    return check | _warning(old, f"The last nightly backup is {age / 3600:.0f} hours old.")


CHECKS: dict[str, Callable[[], Awaitable[Check]]] = {
    "database": _database,
    "broker": _broker,
    "cache": _cache,
    "outbox": _outbox,
    "workers": _workers,
    "scheduler": _scheduler,
    "queues": _queues,
    "schedules": _schedules,
    "pool": _pool,
    "disk": _disk,
    "backup": _backup,
}
NEEDED = {"database", "broker", "cache", "outbox", "workers", "scheduler"}  # the others only warn


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether all that is needed is there; every check, with `error` or `warning` where there is something to say."""

    ready: bool
    checks: dict[str, Check]

    @property
    def warnings(self) -> list[str]:
        """What somebody should look at, in words."""
        return [check["warning"] for check in self.checks.values() if "warning" in check]


async def readiness() -> Readiness:
    """Run all checks side by side."""
    results = await asyncio.gather(*(_guarded(name, check) for name, check in CHECKS.items()))
    checks = dict(zip(CHECKS, results, strict=True))
    spared = QUEUE if settings().tasks == "inline" else set[str]()
    return Readiness(all(checks[name]["ok"] for name in NEEDED - spared), checks)


async def _guarded(name: str, check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check()
    except TimeoutError:
        reason = f"no answer within {PATIENCE:g} s"
    except Exception as error:  # whatever a client library raises, the answer names it
        reason = str(error) or type(error).__name__
    if name in NEEDED:
        return {"ok": False, "error": reason}
    return {"ok": True, "unknown": reason}  # what it looks at is away, of which another check tells


def _error(check: Check, words: str) -> Check:
    return {} if check["ok"] else {"error": words}


def _warning(holds: bool, words: str) -> Check:
    return {"warning": words} if holds else {}


def _ms(began: float) -> float:
    return round((perf_counter() - began) * 1000, 2)
