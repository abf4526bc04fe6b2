"""Is everything there that Pharos needs? Each check answers with a figure and, where it fails, with words."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from sqlalchemy import text

from service import queue
from service.database import reading
from service.outbox import backlog
from service.settings import settings

Check = dict[str, Any]

PATIENCE = 2.0  # seconds for one check
OUTBOX_AGE = 30.0  # seconds after which the outbox counts as standing still
SILENCE = 15.0  # seconds without a sign of the timetable
QUEUE = {"broker", "cache", "workers", "scheduler"}  # what nobody needs who runs tasks inline


async def _database() -> Check:
    began = perf_counter()
    async with reading() as session:
        await session.execute(text("SELECT 1"))
    return {"ok": True, "ms": _ms(began)}


async def _broker() -> Check:
    began = perf_counter()
    await queue.ping()
    return {"ok": True, "ms": _ms(began)}


async def _cache() -> Check:
    began = perf_counter()
    await queue.ping(settings().cache_url)
    return {"ok": True, "ms": _ms(began)}


async def _outbox() -> Check:
    async with reading() as session:
        waiting, age = await backlog(session)
    check: Check = {"ok": age < OUTBOX_AGE, "waiting": waiting, "age_s": round(age, 1)}
    return check if check["ok"] else check | {"error": f"The oldest event has waited {age:.0f} s: is the broker there?"}


async def _workers() -> Check:
    count = len(await queue.worker_status())
    check: Check = {"ok": count > 0, "count": count}
    return check if count else check | {"error": "No worker runs: tasks wait until one is started."}


async def _scheduler() -> Check:
    age = await queue.scheduler_age()
    if age is None:
        return {"ok": False, "age_s": None, "error": "The timetable does not run."}
    check: Check = {"ok": age < SILENCE, "age_s": round(age, 1)}
    return check if check["ok"] else check | {"error": f"The timetable has been silent for {age:.0f} s."}


CHECKS: dict[str, Callable[[], Awaitable[Check]]] = {
    "database": _database,
    "broker": _broker,
    "cache": _cache,
    "outbox": _outbox,
    "workers": _workers,
    "scheduler": _scheduler,
}


async def readiness() -> tuple[bool, dict[str, Check]]:
    """Run all checks side by side; True where everything that is needed is there."""
    results = await asyncio.gather(*(_guarded(check) for check in CHECKS.values()))
    checks = dict(zip(CHECKS, results, strict=True))
    spared = QUEUE if settings().tasks == "inline" else set[str]()
    return all(check["ok"] or name in spared for name, check in checks.items()), checks


async def _guarded(check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check()
    except TimeoutError:
        return {"ok": False, "error": f"no answer within {PATIENCE:g} s"}
    except Exception as error:  # whatever a client library raises, the answer names it
        return {"ok": False, "error": str(error) or type(error).__name__}


def _ms(began: float) -> float:
    return round((perf_counter() - began) * 1000, 2)
