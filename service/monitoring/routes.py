"""HTTP for whoever watches Pharos."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service import draining, queue
from service.bus import bus
from service.database import pool_status, reading, transaction
from service.event_log import EventView, history, shown
from service.hooks import HOOKS
from service.monitoring import actions, dead_letters, metrics, patterns, tasks
from service.monitoring.exposition import CONTENT_TYPE
from service.monitoring.readiness import readiness
from service.queue.requeue import Requeue
from service.queue.task import Task
from service.security.permissions import PUBLIC
from service.security.sessions import Visitor
from service.tasks import TASKS
from service.web import Listed, Paged, Shape, account, no_content, page, query, respond, route


class HistoryQuery(Shape):
    """Which events."""

    limit: int = Field(100, ge=1, le=1000)
    name: str | None = None
    correlation_id: str | None = None


class Alive(BaseModel):
    """The process lives."""

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether everything is there that is needed: each check with a figure, and what is wrong in words."""

    status: Literal["ready", "unavailable"]
    checks: dict[str, dict[str, Any]]
    warnings: list[str]


class History(BaseModel):
    """The last events, newest last."""

    count: int
    events: list[EventView]


class WorkersView(BaseModel):
    """Every worker that lives, and every queue."""

    workers: list[queue.WorkerStatus]
    queues: list[queue.QueueStatus]
    total_active: int


class AlertsQuery(Paged):
    """Which alerts: those that last, or all that there were."""

    lasting: bool = False


class AlertView(BaseModel):
    """An account did much more than it usually does, by this measure."""

    id: UUID
    kind: str
    account_id: UUID
    found: int
    usual: float
    words: str
    raised_at: datetime
    seen_at: datetime
    ended_at: datetime | None


async def health(request: Request) -> Response:
    """The process lives."""
    return respond({"status": "ok"})


async def ready(request: Request) -> Response:
    """Everything that is needed is there; else 503, and the checks say what is missing. Warnings change no status."""
    if draining.begun():
        stops = {"ok": False, "error": "This web server is about to stop; another one answers."}
        return respond({"status": "unavailable", "checks": {"server": stops}, "warnings": []}, 503)
    found = await readiness()
    answer = {"status": "ready" if found.ready else "unavailable", "checks": found.checks, "warnings": found.warnings}
    return respond(answer, 200 if found.ready else 503)


async def read_metrics(request: Request) -> Response:
    """All figures, in Prometheus's text format."""
    return Response(await metrics.exposed(), media_type=CONTENT_TYPE)


async def list_alerts(request: Request) -> Response:
    """What somebody should look at, newest first."""
    asked = query(request, AlertsQuery)
    async with reading() as session:
        total, found = await patterns.alerts(session, asked.limit, asked.offset, lasting=asked.lasting)
    items = [AlertView.model_validate({**vars(alert), "words": patterns.words(alert)}) for alert in found]
    return page(items, total, asked)


async def events_history(request: Request) -> Response:
    """The last events of all processes, newest last."""
    asked = query(request, HistoryQuery)
    async with reading() as session:
        rows = await history(
            session, account(request).id, limit=asked.limit, name=asked.name, correlation_id=asked.correlation_id
        )
    return respond({"count": len(rows), "events": [shown(row) for row in rows]})


async def db_pool(request: Request) -> Response:
    """How much of this process's connection pool is in use."""
    return respond(pool_status())


async def workers_status(request: Request) -> Response:
    """What every worker does now, and how deep the queues are."""
    workers = await queue.worker_status()
    queues = await queue.queue_status()
    active = sum(len(worker.active) for worker in workers)
    return respond({"workers": workers, "queues": queues, "total_active": active})


async def read_schedules(request: Request) -> Response:
    """The timetable: each line with its last and next run, and whether somebody keeps it."""
    return respond({"schedules": await queue.schedules()})


async def pause_queue(request: Request) -> Response:
    """Take nothing more from a queue; what is sent to it waits until it goes on."""
    async with transaction() as session:
        await actions.pause(session, account(request), Visitor.of(request).address, request.path_params["name"])
    return no_content()


async def resume_queue(request: Request) -> Response:
    """Let a paused queue go on."""
    async with transaction() as session:
        await actions.resume(session, account(request), Visitor.of(request).address, request.path_params["name"])
    return no_content()


async def run_schedule(request: Request) -> Response:
    """Run a task of the timetable now, besides its own times."""
    async with transaction() as session:
        task_id = await actions.run_now(
            session, account(request), Visitor.of(request).address, request.path_params["name"]
        )
    return respond({"task_id": task_id}, 202, {"Location": f"/tasks/{task_id}"})


async def flow(request: Request) -> Response:
    """THE TABLE: every event that starts something, and every task with its queue and policy."""
    hooks = [
        {
            "event": row.when_said,
            "run": row.run.name
            if isinstance(row.run, Task | Requeue)
            else getattr(row.run, "__qualname__", repr(row.run)),
            "after_s": row.after,
            "at_most_s": row.at_most,
        }
        for row in HOOKS
    ]
    tasks = [
        {
            "name": task.name,
            "queue": task.queue.name,
            "priority": task.queue.priority,
            "retries": task.retries,
            "limit_s": task.limit,
            "one_per": task.key,
        }
        for task in TASKS
    ]
    listeners = [
        {
            "name": getattr(handler, "__qualname__", repr(handler)),
            "calls": s.calls,
            "failures": s.failures,
            "slow": s.slow,
        }
        for handler, s in bus.statistics.items()
    ]
    return respond({"hooks": hooks, "tasks": tasks, "listeners": listeners})


Answer = dict[str, Any]
routes = [
    route("GET", "/health", health, scope=PUBLIC, gives=Alive),
    route("GET", "/ready", ready, scope=PUBLIC, gives=Readiness),
    route("GET", "/metrics", read_metrics, scope="metrics"),
    route("GET", "/events/history", events_history, scope="read", queries=HistoryQuery, gives=History),
    route("GET", "/db/pool", db_pool, scope="read", gives=Answer),
    route("GET", "/workers/status", workers_status, scope="read", gives=WorkersView),
    route("GET", "/schedules", read_schedules, scope="read", gives=Answer),
    route("POST", "/schedules/{name}/run", run_schedule, scope="admin", gives=Answer, status=202),
    route("POST", "/queues/{name}/pause", pause_queue, scope="admin", status=204),
    route("POST", "/queues/{name}/resume", resume_queue, scope="admin", status=204),
    route("GET", "/monitoring/alerts", list_alerts, scope="metrics", queries=AlertsQuery, gives=Listed[AlertView]),
    *tasks.routes,
    route("GET", "/monitoring/flow", flow, scope="read", gives=Answer),
    *dead_letters.routes,
]
