"""HTTP for the cache."""

from typing import Any

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.cache import actions
from service.cache.cache import cache
from service.cache.local import local
from service.database import transaction
from service.web import Shape, account, parse, respond, route


class Rates(BaseModel):
    """How often a value was there."""

    hits: int
    misses: int
    total_operations: int
    hit_rate: float
    hit_rate_percent: float
    miss_rate: float
    miss_rate_percent: float


class Figures(Rates):
    """The figures of one kind of key."""

    invalidations: int
    computed: int = Field(description="Misses that this was computed for; the others shared one of these.")
    read_bytes: int
    saved_seconds: float = Field(description="Of computation: what the hits would have taken, less what they took.")


class LocalRates(Rates):
    """L1: of all processes, and how much the answering one holds."""

    entries: int
    bytes: int


class Statistics(Figures):
    """The cache over all processes since it was last emptied."""

    saved_percent: float = Field(description="Of the computation that there would have been without the cache.")
    damaged: int
    too_large: int
    outages: int
    by_prefix: dict[str, Figures]
    l1: LocalRates


class Warming(Shape):
    """What to warm; all that can be where nothing is said."""

    prefixes: list[str] | None = Field(None, max_length=10)


async def cache_stats(request: Request) -> Response:
    """What the cache did and saved, over all processes."""
    figures = await cache.read_statistics()
    figures["l1"] |= {"entries": len(local), "bytes": local.size}
    return respond(figures)


async def warm_cache(request: Request) -> Response:
    """Compute what is used most before somebody asks for it; the task tells how far it is."""
    asked = await parse(request, Warming)
    async with transaction() as session:
        task_id = await actions.request_warming(session, account(request), asked.prefixes or [])
    return respond({"task_id": task_id}, 202, {"Location": f"/tasks/{task_id}"})


routes = [
    route("GET", "/cache/stats", cache_stats, scope="read", gives=Statistics, also=(503,)),
    route("POST", "/cache/warm", warm_cache, scope="admin", takes=Warming, gives=dict[str, Any], status=202),
]
