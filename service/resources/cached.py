"""One resource as it is answered, through the cache: served only in the state that PostgreSQL knows."""

from uuid import UUID

import orjson

from service.cache.cache import cache
from service.cache.shared import Fresh
from service.database import Statement, fetch
from service.errors import NotFound
from service.resources.reading_time import minutes
from service.resources.shapes import FIELDS
from service.resources.states import STATES, state
from service.taxonomy.tables import CATEGORIES_OF
from service.web import encoded

_SHOWN = Statement(
    f"""SELECT {STATES["resource"]} AS state, {", ".join(f"r.{name}" for name in FIELDS)},
        (SELECT q.overall FROM quality q WHERE q.resource_id = r.id) AS overall, {CATEGORIES_OF} AS about
    FROM resources r WHERE r.id = :id AND (NOT r.private OR r.owner_id = :account)"""  # noqa: S608
)


async def shown(account_id: UUID, resource_id: UUID) -> tuple[bytes, int]:
    """Return a resource that this account may see, as JSON, and its version; raises NotFound.

    What is private has one reader, its owner: nobody else gets past the look at its state.
    """
    known = await state("resource", account_id, resource_id)
    answer = await cache.get_or_compute(
        f"resource:{resource_id}", lambda: _compute(account_id, resource_id), stamp=known
    )
    return answer.value, int(answer.stamp.partition(" ")[0])


async def _compute(account_id: UUID, resource_id: UUID) -> Fresh:
    rows = await fetch(_SHOWN, id=resource_id, account=account_id)
    if not rows:
        raise NotFound(what="resource", id=resource_id)
    row = dict(rows[0])
    stamp, overall, about = row.pop("state"), row.pop("overall"), row.pop("about")
    row["reading_minutes"] = minutes(row["word_count"])
    if about is not None:
        row["categories"] = orjson.loads(about)
    if overall is not None:
        row["quality"] = {"overall": overall}
    return Fresh(encoded(row), stamp)
