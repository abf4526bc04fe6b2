"""Actors of the cache."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from service.cache import actions
from service.cache.cache import cache
from service.cache.forgetting import of_resource
from service.queue import actor
from service.resources import warming as resources
from service.search import warming as searches
from service.tasks import CLEAN, INVALIDATE, WARM

WARMERS: dict[str, Callable[[], Awaitable[int]]] = {"resource": resources.warm, "search_query": searches.warm}


@actor(INVALIDATE)
async def invalidate_cache(resource_id: UUID) -> None:
    """Forget all that is derived from a resource."""
    await cache.forget(of_resource(resource_id))


@actor(CLEAN)
async def cleanup_expired_cache() -> dict[str, int]:
    """Take out what nobody can read any more."""
    return await actions.prune()


@actor(WARM)
async def warm_cache(prefixes: str = ",".join(WARMERS)) -> dict[str, int]:
    """Have what is used most in the cache; returns how much of each was computed or was there."""
    return {prefix: await WARMERS[prefix]() for prefix in prefixes.split(",") if prefix in WARMERS}
