"""The operations page: who may read the metrics sees it, an admin also acts. What is chosen stands in the address."""

from collections.abc import Awaitable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar, get_args
from uuid import UUID

from pydantic import BeforeValidator, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from service import queue
from service.cache.cache import cache
from service.cache.server import CacheAway
from service.database import pool_status, reading
from service.errors import NotFound
from service.event_log import EventRow
from service.events import SystemEvent
from service.monitoring import at_hand, causes, figures, history
from service.monitoring.readiness import readiness
from service.monitoring.tasks import Status
from service.outbox import backlog
from service.queue import dead_letters
from service.queue.dead_letters import Which
from service.queue.reasons import Reason
from service.security import audit
from service.tasks import QUEUES, TASKS
from service.ui import flow_picture
from service.ui.pages import page, render, templates
from service.ui.plots import Line, brief, plot, seconds
from service.ui.text import text
from service.web import Shape, account, path_id, query

ResultT = TypeVar("ResultT")

PAGE = 50
TABS = ("overview", "tasks", "dead", "schedules", "events", "flow", "log")
PLACES = {"overview": "", "dead": "/dead-letters"}
PARTS = {"letter": "dead", "task": "tasks", "chain": "events"}
ENDED = ("succeeded", "failed", "cancelled", at_hand.FORGOTTEN)

Blank = BeforeValidator(lambda value: None if value == "" else value)  # a field of a form that was left empty
Words = Annotated[str | None, Blank]
Id = Annotated[UUID | None, Blank]

templates.filters.update({"seconds": seconds, "brief": brief})


class Overview(Shape):
    """What the plots show."""

    span: history.Span = "1h"
    queue: Words = None


class Tasks(Shape):
    """Which tasks."""

    name: Words = None
    status: Annotated[Status | None, Blank] = None
    queue: Words = None
    resource: Id = None
    correlation_id: Words = None
    before: Words = None


class Belongs(Shape):
    """The request that a task belongs to, where the list knew it."""

    correlation_id: Words = None


class Letters(Shape):
    """Which dead letters."""

    name: Words = None
    queue: Words = None
    reason: Annotated[Reason | None, Blank] = None
    q: Annotated[str | None, Field(max_length=1000), Blank] = None
    page: int = Field(1, ge=1, le=20_000)


class Events(Shape):
    """Which events, or the chain of which request."""

    name: Words = None
    correlation_id: Words = None
    before: Annotated[int | None, Field(ge=0), Blank] = None


class Log(Shape):
    """Which part of the log."""

    before: Annotated[int | None, Field(ge=0), Blank] = None


def show(request: Request, tab: str, **values: Any) -> Response:
    """Answer with a part of the page."""
    tabs = [(name, f"/ui/operations{PLACES.get(name, f'/{name}')}") for name in TABS]
    return render(
        request,
        f"operations_{tab}.html",
        tab=PARTS.get(tab, tab),
        tabs=tabs,
        acts="admin" in account(request).scopes,
        now=datetime.now(UTC),
        **values,
    )


async def overview(request: Request) -> Response:
    """Queues, workers, and what is around them; with their history."""
    asked, now = query(request, Overview), datetime.now(UTC)
    checks = (await readiness()).checks
    async with reading() as session:
        waiting, age = await backlog(session)
        searches = await figures.searches(session, account(request).id, now - timedelta(days=1))
        steps = await history.history(session, asked.span, asked.queue, now)
        rates = await history.rates(session, now)
    return show(
        request,
        "overview",
        asked=asked,
        checks=checks,
        queues=await _if_there(queue.queue_status()),
        workers=await _if_there(queue.worker_status()),
        cache=await _if_there(cache.read_statistics()),
        pool=pool_status(),
        outbox=(waiting, age),
        searches=searches,
        rates=rates,
        spans=list(history.SPANS),
        plots=_plots(steps) if any(step.succeeded is not None for step in steps) else [],
        names=[queue.name for queue in QUEUES],
    )


async def _if_there(answer: Awaitable[ResultT]) -> ResultT | None:
    with suppress(queue.BrokerAway, CacheAway):
        return await answer
    return None


def _plots(steps: list[history.Step]) -> list[tuple[str, Any, list[Line]]]:
    moments = [step.at for step in steps]
    colour = {queue.name: place for place, queue in enumerate(QUEUES)}
    names = sorted(
        {name for step in steps for name, depth in step.waiting.items() if depth}, key=lambda n: colour.get(n, 9)
    )
    depth = [Line(name, colour.get(name, 9), [step.waiting.get(name) for step in steps]) for name in names]
    flat = Line(text("ops.waiting"), 0, [0.0 if step.waiting else None for step in steps])
    drawn = [
        ("depth", depth or [flat], brief),
        ("age", [Line(text("ops.oldest"), 5, [step.age for step in steps])], seconds),
        ("throughput", [Line(text("ops.line.succeeded"), 4, [step.succeeded for step in steps])], brief),
        (
            "latency",
            [
                Line(text("ops.line.p50"), 3, [step.p50 for step in steps]),
                Line(text("ops.line.p95"), 1, [step.p95 for step in steps]),
            ],
            seconds,
        ),
        ("failures", [Line(text("ops.line.failed"), 0, [step.failed for step in steps])], brief),
        ("retries", [Line(text("ops.line.retried"), 1, [step.retried for step in steps])], brief),
    ]
    plots: list[tuple[str, Any, list[Line]]] = []
    for name, lines, shown in drawn:
        title = text(f"ops.plot.{name}")
        plots.append((title, plot(title, moments, lines, shown), lines))
    return plots


async def tasks(request: Request) -> Response:
    """All tasks, newest first."""
    asked = query(request, Tasks)
    wanted = at_hand.Wanted(asked.name, asked.status, asked.queue, asked.resource, asked.correlation_id)
    before = at_hand.Place.of(asked.before) if asked.before else None
    async with reading() as session:
        found, following = await at_hand.tasks_of(session, wanted, before, PAGE)
    return show(
        request,
        "tasks",
        asked=asked,
        tasks=found,
        following=following,
        names=sorted(task.name for task in TASKS),
        queues=[queue.name for queue in QUEUES],
        states=get_args(Status),
        ended=ENDED,
    )


async def task(request: Request) -> Response:
    """One task: what it was given, how it went, what led to it."""
    task_id = str(request.path_params["id"])
    async with reading() as session:
        found = await at_hand.detail(session, task_id, query(request, Belongs).correlation_id)
    if found is None:
        raise NotFound(what="task", id=task_id)
    return show(request, "task", found=found, state=found.state, ended=ENDED)


async def letters(request: Request) -> Response:
    """What failed for good."""
    asked = query(request, Letters)
    chosen = asked.model_dump(mode="json", exclude={"page"}, exclude_none=True)
    async with reading() as session:
        total, rows = await dead_letters.browse(session, Which(**chosen), limit=PAGE, offset=(asked.page - 1) * PAGE)
    return show(
        request,
        "dead",
        asked=asked,
        chosen=chosen or {"all": True},
        total=total,
        letters=rows,
        more=total > asked.page * PAGE,
        names=sorted(task.name for task in TASKS),
        queues=[queue.name for queue in QUEUES],
        reasons=list(Reason),
    )


async def letter(request: Request) -> Response:
    """One dead letter with its traceback."""
    async with reading() as session:
        found = await dead_letters.read(session, path_id(request, what="dead letter"))
    return show(request, "letter", letter=found)


async def schedules(request: Request) -> Response:
    """The timetable."""
    return show(request, "schedules", schedules=await queue.schedules())


async def events(request: Request) -> Response:
    """What happens, newest first; or what belongs to one request, each under what caused it."""
    asked, who = query(request, Events), account(request)
    mine = (EventRow.audience.is_(None)) | (EventRow.audience == who.id)
    async with reading() as session:
        if asked.correlation_id:
            rows = await causes.events_of(session, asked.correlation_id)
            visible = [row for row in rows if row.audience in (None, who.id)]
            return show(request, "chain", asked=asked, roots=causes.tree(visible), hidden=len(rows) - len(visible))
        wanted = select(EventRow).where(mine).order_by(EventRow.position.desc()).limit(PAGE + 1)
        if asked.name:
            wanted = wanted.where(EventRow.name == asked.name)
        if asked.before is not None:
            wanted = wanted.where(EventRow.position < asked.before)
        found = (await session.scalars(wanted)).all()
    shown = found[:PAGE]
    return show(
        request,
        "events",
        asked=asked,
        events=shown,
        following=shown[-1].position if len(found) > PAGE else None,
        names=sorted(SystemEvent),
    )


async def flow(request: Request) -> Response:
    """THE TABLE as a picture and as a list, with today's counts."""
    since = figures.midnight()
    async with reading() as session:
        happened = await figures.events_since(session, since)
        runs = await history.runs_since(session, since)
    started = flow_picture.started(happened, runs)
    return show(
        request,
        "flow",
        picture=flow_picture.picture(started, text("ops.flow.picture")),
        queues=flow_picture.by_queue(started),
        at_once=flow_picture.at_once(),
        happened=happened,
    )


async def log(request: Request) -> Response:
    """Who did what to the machinery."""
    asked = query(request, Log)
    async with reading() as session:
        found = await audit.operations(session, asked.before, PAGE + 1)
    entries = found[:PAGE]
    return show(
        request, "log", entries=entries, asked=asked, following=entries[-1][0].id if len(found) > PAGE else None
    )


routes = [
    page("GET", "/ui/operations", overview, scope="metrics", hint="operations"),
    page("GET", "/ui/operations/tasks", tasks, scope="metrics"),
    page("GET", "/ui/operations/tasks/{id}", task, scope="metrics"),
    page("GET", "/ui/operations/dead-letters", letters, scope="metrics"),
    page("GET", "/ui/operations/dead-letters/{id}", letter, scope="metrics"),
    page("GET", "/ui/operations/schedules", schedules, scope="metrics"),
    page("GET", "/ui/operations/events", events, scope="metrics"),
    page("GET", "/ui/operations/flow", flow, scope="metrics"),
    page("GET", "/ui/operations/log", log, scope="metrics"),
]
