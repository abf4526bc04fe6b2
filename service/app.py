"""The web application: routes and middleware as two lists; the lifespan opens everything and closes it again."""

import gc
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from fnmatch import fnmatchcase

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import connections, database, draining, inference, lag, logs, queue
from service.annotations.routes import routes as annotation_routes
from service.authors.routes import routes as author_routes
from service.backups.nights import keeping
from service.batches.routes import routes as batch_routes
from service.broadcast.forwarding import forwarding
from service.bus import Sender, bus
from service.cache import cache
from service.cache.routes import routes as cache_routes
from service.collections.routes import routes as collection_routes
from service.digests.routes import routes as digest_routes
from service.documents.routes import routes as document_routes
from service.documents.subject_routes import routes as subject_routes
from service.documents.upload_routes import routes as upload_routes
from service.duplicates.routes import routes as duplicate_routes
from service.errors import PharosError
from service.events import origin
from service.exports.routes import routes as export_routes
from service.feeds.published_routes import routes as published_feed_routes
from service.feeds.routes import routes as feed_routes
from service.graph.routes import routes as graph_routes
from service.hints.routes import routes as hint_routes
from service.hooks import HOOKS, TABLE
from service.imports.routes import routes as import_routes
from service.ingestion.routes import routes as ingestion_routes
from service.live.bell import ring
from service.live.hub import hub
from service.live.routes import routes as live_routes
from service.mcp.routes import routes as mcp_routes
from service.mcp.serving import assistants
from service.monitoring.routes import routes as monitoring_routes
from service.monitoring.sampling import sampling
from service.notifications.routes import routes as notification_routes
from service.openapi import describe
from service.outbox import Relay
from service.quality.routes import routes as quality_routes
from service.queue.ledger import send_on
from service.quiz_sessions.routes import routes as quiz_session_routes
from service.quizzes.routes import routes as quiz_routes
from service.readings.routes import routes as reading_routes
from service.recommendations.routes import routes as recommendation_routes
from service.requests import Measured
from service.resources.routes import routes as resource_routes
from service.reviews.routes import routes as review_routes
from service.samples.routes import routes as sample_routes
from service.search import executed
from service.search.routes import routes as search_routes
from service.search.saved_routes import routes as saved_search_routes
from service.security import limits
from service.security.middleware import middleware as security_middleware
from service.security.routes import routes as security_routes
from service.security.startup import ensure_admin
from service.settings import settings
from service.taxonomy.routes import routes as taxonomy_routes
from service.trash.routes import routes as trash_routes
from service.ui.routes import overview_first
from service.ui.routes import routes as ui_routes
from service.web import problem
from service.webhooks.routes import routes as webhook_routes

log = structlog.get_logger(__name__)

ROUTES: list[BaseRoute] = [
    *monitoring_routes,
    *security_routes,
    *ingestion_routes,
    *resource_routes,
    *trash_routes,
    *duplicate_routes,
    *document_routes,
    *subject_routes,
    *upload_routes,
    *batch_routes,
    *graph_routes,
    *collection_routes,
    *annotation_routes,
    *author_routes,
    *search_routes,
    *export_routes,
    *sample_routes,
    *import_routes,
    *saved_search_routes,
    *quality_routes,
    *taxonomy_routes,
    *recommendation_routes,
    *reading_routes,
    *quiz_session_routes,
    *review_routes,
    *notification_routes,
    *digest_routes,
    *hint_routes,
    *webhook_routes,
    *published_feed_routes,
    *feed_routes,
    *mcp_routes,
    *live_routes,
    *cache_routes,
    *quiz_routes,
    *ui_routes,
]

# Where the operations page is served alone: its pages, how one signs in to them, what they call, and who measures.
OPERATIONS = (
    "/ui/operations*",
    "/ui/static",
    "/ui/login",
    "/ui/logout",
    "/ui/{path:path}",  # says that there is nothing
    "/users/me",
    "/events/stream",
    "/queues/*",
    "/schedules/*",
    "/tasks/{id}/cancel",
    "/dlq*",
    "/health",
    "/ready",
    "/metrics",
)

MIDDLEWARE = [
    Middleware(lambda app: CorrelationID(app)),
    Middleware(Measured),
    *security_middleware,
]


class CorrelationID:
    """Takes `X-Correlation-ID` or makes one; events, tasks and logs of the request carry it, the answer names it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-correlation-id"), b"")
        usable = 0 < len(given) <= 128 and given.isascii() and given.decode().isprintable()
        with origin(given.decode() if usable else None) as here:
            header = (b"x-correlation-id", here.correlation_id.encode())

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], header, *draining.headers()]
                await send(message)

            await self.app(scope, receive, answer)


async def refused(request: Request, error: Exception) -> Response:
    """Render what the router or the framework refuses: unknown paths, wrong methods."""
    assert isinstance(error, HTTPException)
    fault = PharosError(f"{request.method} {request.url.path}: {error.detail}.")
    return problem(fault, status=error.status_code, headers=error.headers)


async def broken(request: Request, error: Exception) -> Response:
    """Render what nobody expected; the log has the traceback."""
    return problem(PharosError("Something went wrong here; the server's log has the details."))


Sending = Callable[[], AbstractAsyncContextManager[Sender]]


class TasksElsewhere(PharosError):
    """PHAROS_TASKS=inline: serve `workers.inline:create_app`, which knows the actors, instead of `service.app`."""


@asynccontextmanager
async def queueing() -> AsyncGenerator[Sender]:
    """Send tasks to the queue."""
    if settings().tasks == "inline":
        raise TasksElsewhere
    yield send_on


@asynccontextmanager
async def running(sending: Sending) -> AsyncGenerator[None]:
    """Open the database, the queue and the live hub, carry events until the server stops, close everything."""
    logs.configure()
    alone = settings().serve == "operations"
    async with database.connected("operations" if alone else "web"), limits.connected(), queue.connected(), hub():
        if few := await connections.check(settings()):
            log.warning(few)
        await ensure_admin()
        TABLE.listen(bus)
        log.info("the table is set", hooks=len(HOOKS))
        gc.freeze()  # what is loaded stays: a full collection that looks through it stops every request for 0.2 s
        async with (
            inference.connected(),
            cache.connected(),
            sending() as send,
            forwarding(ring) as announce,
            Relay(bus, TABLE.route, send, announce).running(),
            executed.recording(),
            assistants(),
            lag.watched(),
            nullcontext() if alone else keeping(),
            sampling(),
        ):
            with draining.before_the_end(settings().drain_seconds):
                yield


def served() -> list[BaseRoute]:
    """Return the routes that this process answers (PHAROS_SERVE)."""
    if settings().serve == "all":
        return [*ROUTES, *describe(ROUTES)]
    return [*overview_first, *(route for route in ROUTES if isinstance(route, Route | Mount) and _operates(route.path))]


def _operates(path: str) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in OPERATIONS)


def create_app(sending: Sending = queueing) -> Starlette:
    """Build the application; `sending` opens what takes the tasks that its events ask for."""
    return Starlette(
        routes=served(),
        middleware=MIDDLEWARE,
        exception_handlers={HTTPException: refused, Exception: broken},
        lifespan=lambda app: running(sending),
    )
