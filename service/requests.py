"""Each HTTP request: counted by route, method and status, timed, and logged."""

from bisect import bisect_left
from dataclasses import dataclass, field
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import logs
from service.events import current_origin

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
UNKNOWN = "unknown"  # the route of what no route takes: each wrong path would be a series of its own
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BROKEN_OFF = 499  # the status of who left before there was an answer, as proxies write it
QUIET = ("/health", "/ready", "/metrics", "/ui/static/")  # of which no log tells


@dataclass(slots=True)
class RouteFigures:
    """Of one route and method: answers by status, their time until they began, how many took up to each of `BOUNDS`."""

    statuses: dict[int, int] = field(default_factory=dict[int, int])
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))


answered: dict[tuple[str, str], RouteFigures] = {}  # by method and route, of this process since it began


class Measured:
    """Counts, times and logs what is answered; the time of an answer is that until it begins, also of a stream."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, took, began = BROKEN_OFF, None, perf_counter()

        async def answer(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                status, took = message["status"], perf_counter() - began
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except Exception:
            status = 500
            raise
        finally:
            _note(scope, status, perf_counter() - began if took is None else took)


def _note(scope: Scope, status: int, seconds: float) -> None:
    route = getattr(scope.get("endpoint"), "path", UNKNOWN)
    if scope["path"].startswith("/ui/static/"):
        route = "/ui/static/{path}"
    method = scope["method"] if scope["method"] in METHODS else "other"
    figures = answered.get((method, route))
    if figures is None:
        figures = answered[method, route] = RouteFigures()
    figures.statuses[status] = figures.statuses.get(status, 0) + 1
    figures.seconds += seconds
    figures.buckets[bisect_left(BOUNDS, seconds)] += 1
    if logs.requests() and not scope["path"].startswith(QUIET):
        account = scope.get("account")
        facts = {
            "method": method,
            "path": scope["path"],
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
            "account_id": str(account.id) if account is not None else None,
            "correlation_id": current_origin().correlation_id,
        }
        logs.work("request answered", __name__, facts)
