"""Searches through the cache: each reader's own, served only while that reader may see all of the page unchanged."""

from datetime import datetime
from hashlib import blake2b
from time import perf_counter
from typing import Any
from uuid import UUID

import orjson

from service.cache.cache import cache
from service.cache.shared import Fresh
from service.resources.states import unchanged, versions
from service.search import retrieval
from service.search.filters import Filters
from service.search.retrieval import Found, Mode


async def search(
    query_text: str,
    filters: Filters,
    mode: Mode = "hybrid",
    *,
    limit: int = 25,
    offset: int = 0,
    unfinished: bool = False,
    freshness: bool = False,
) -> tuple[Found, bool]:
    """Find resources as `retrieval.search` does, and tell whether that was known already.

    What could be had without the model server only is not kept, nor what is being typed.
    """
    began = perf_counter()
    options: dict[str, Any] = {"limit": limit, "offset": offset, "unfinished": unfinished, "freshness": freshness}
    if unfinished:
        return await retrieval.search(query_text, filters, mode, **options), False

    async def compute() -> Fresh:
        found = await retrieval.search(query_text, filters, mode, **options)
        seen = await versions(filters.account, [item["id"] for item in found.items])
        value = {"seen": seen, "found": found._asdict()}
        return Fresh(value, keep=not found.degraded and len(seen) == len(found.items))

    async def valid(value: Any) -> bool:
        return await unchanged(filters.account, value["seen"])

    answer = await cache.get_or_compute(
        key(query_text, filters, mode, **options), compute, tags=_tags(filters), valid=valid
    )
    found = _found(answer.value["found"])
    if answer.cached:
        found = found._replace(took_ms=round(1000 * (perf_counter() - began), 1))
    return found, answer.cached


def key(query_text: str, filters: Filters, mode: Mode, **options: Any) -> str:
    """Return the key of one page of a search; who asks is part of it."""
    asked = [query_text, filters.parameters, mode, options]
    written = orjson.dumps(asked, default=str, option=orjson.OPT_SORT_KEYS)
    return f"search_query:{blake2b(written, digest_size=16).hexdigest()}"


def _tags(filters: Filters) -> list[str]:
    return [f"collection:{one}" for one in (filters.collection, filters.outside) if one is not None]


def _found(value: dict[str, Any]) -> Found:
    """Read what JSON made of what was found."""
    found = dict(value)
    found["items"] = [item | {name: read(item[name]) for name, read in _READ.items()} for item in value["items"]]
    return Found(**found)


def _uuid(value: Any) -> UUID:
    return UUID(str(value))


def _time(value: Any) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


_READ = {"id": _uuid, "published_at": _time, "created_at": _time}
