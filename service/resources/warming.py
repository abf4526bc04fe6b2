"""Has the resources that were touched most lately in the cache before somebody asks for them."""

import asyncio

from service.database import Statement, fetch
from service.errors import NotFound
from service.resources.cached import shown

LAST = 20_000  # interactions that count
MOST = 200
REST = 0.02  # seconds between two: others come first

_TOUCHED = Statement(
    """SELECT resource_id, (array_agg(user_id))[1] AS user_id
    FROM (SELECT resource_id, user_id FROM interactions ORDER BY id DESC LIMIT :last) recent
    GROUP BY resource_id ORDER BY count(*) DESC, resource_id LIMIT :most"""
)


async def warm() -> int:
    """Read the resources that were touched most as somebody who touched them; returns how many there were."""
    warmed = 0
    for row in await fetch(_TOUCHED, last=LAST, most=MOST):
        try:
            await shown(row["user_id"], row["resource_id"])
            warmed += 1
        except NotFound:  # deleted, or private since
            continue
        await asyncio.sleep(REST)
    return warmed
