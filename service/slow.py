"""Queries that took long: their text, whose values are `$1`, and how PostgreSQL runs them; never what was asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any, NamedTuple

import structlog

from service.settings import settings

log = structlog.get_logger(__name__)

KNOWN = 500  # statements whose plan is kept in mind: each is asked for once
SHOWN = 2000  # characters of a statement
WAITING = 8  # statements whose plan is asked for: where everything is slow, nobody needs more load
EXPLAINED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")
SHAPE = ("Node Type", "Join Type", "Relation Name", "Index Name")


class Plan(NamedTuple):
    """How a statement is run: the hash of its steps, and the number that PostgreSQL counts the query under."""

    plan_id: str | None
    query_id: int | None


class SlowQueries:
    """Logs them; `explain` returns the plan of a statement as PostgreSQL writes it in JSON."""

    def __init__(self, explain: Callable[[str], Awaitable[list[dict[str, Any]]]]) -> None:
        self._explain = explain
        self._plans: dict[str, Plan] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}

    def note(self, sql: str, seconds: float) -> None:
        """Log a statement that took longer than `settings.slow_query_ms`; at once, or when its plan is known."""
        threshold = settings().slow_query_ms
        if not threshold or 1000 * seconds < threshold or sql in self._asking:
            return
        if sql in self._plans or not sql.lstrip().upper().startswith(EXPLAINED):
            self._log(sql, seconds, self._plans.get(sql, Plan(None, None)))
        elif len(self._asking) >= WAITING:
            self._log(sql, seconds, Plan(None, None))
        else:
            task = self._asking[sql] = asyncio.get_running_loop().create_task(self._ask(sql, seconds))
            task.add_done_callback(lambda _: self._asking.pop(sql, None))

    async def stop(self) -> None:
        """Ask for no more plans."""
        asking = list(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self, sql: str, seconds: float) -> None:
        plan = Plan(None, None)
        try:
            plan = plan_of(await self._explain(sql))
        except Exception as error:
            log.debug("a plan cannot be had", error=str(error))
        if len(self._plans) >= KNOWN:
            del self._plans[next(iter(self._plans))]
        self._plans[sql] = plan
        self._log(sql, seconds, plan)

    def _log(self, sql: str, seconds: float, plan: Plan) -> None:
        log.warning("slow query", ms=round(1000 * seconds), **plan._asdict(), sql=" ".join(sql.split())[:SHOWN])


def plan_of(explained: list[dict[str, Any]]) -> Plan:
    """Return what EXPLAIN (VERBOSE, FORMAT JSON) tells: equal steps over equal indexes have an equal id."""
    [whole] = explained
    steps = blake2b(digest_size=8)

    def walk(node: dict[str, Any], depth: int) -> None:
        steps.update(repr((depth, *(node.get(name) for name in SHAPE))).encode())
        for below in node.get("Plans", ()):
            walk(below, depth + 1)

    walk(whole["Plan"], 0)
    return Plan(steps.hexdigest(), whole.get("Query Identifier"))
