"""In what state things are, as PostgreSQL knows it: one look by primary keys, before anything is served from the cache.

`xmin` is the transaction that last wrote a row: it changes with every write, also with those that count no version.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from service.cache.cache import Compute, cache
from service.cache.shared import Fresh
from service.database import Statement, fetch
from service.errors import NotFound

Kind = Literal["resource", "quality", "classification"]

_QUALITY = "(SELECT q.xmin FROM quality q WHERE q.resource_id = r.id)"
_ABOUT = """(SELECT string_agg(concat(k.xmin, '/', c.xmin), ',' ORDER BY k.is_predicted, k.rank)
    FROM classifications k JOIN categories c ON c.id = k.category_id WHERE k.resource_id = r.id)"""
STATES: dict[Kind, str] = {
    "resource": f"concat_ws(' ', r.version, r.xmin, 'q', {_QUALITY}, 'c', {_ABOUT})",
    "quality": f"concat_ws(' ', {_QUALITY})",
    "classification": f"concat_ws(' ', {_ABOUT})",
}
_STATE = {
    kind: Statement(
        f"SELECT {state} FROM resources r WHERE r.id = :id AND (NOT r.private OR r.owner_id = :account)"  # noqa: S608
    )
    for kind, state in STATES.items()
}
_VERSIONS = Statement(
    """SELECT CAST(id AS text), version FROM resources
    WHERE id = ANY(CAST(:ids AS uuid[])) AND (NOT private OR owner_id = :account)"""
)


async def state(kind: Kind, account_id: UUID, resource_id: UUID) -> str:
    """Return in what state something of a resource is, for an account that may see it; raises NotFound."""
    rows = await fetch(_STATE[kind], id=resource_id, account=account_id)
    if not rows:
        raise NotFound(what="resource", id=resource_id)
    return rows[0][0]


async def versions(account_id: UUID, ids: Sequence[Any]) -> dict[str, int]:
    """Return the versions of resources, by their ids as texts; those that the account may not see are left out."""
    return {row[0]: row[1] for row in await fetch(_VERSIONS, ids=ids, account=account_id)} if ids else {}


async def unchanged(account_id: UUID, seen: Mapping[str, int]) -> bool:
    """Tell whether the account may see all of these resources, and each has the version that was seen."""
    return not seen or await versions(account_id, list(seen)) == dict(seen)


async def listed(account_id: UUID, value: Any, ids: Sequence[UUID]) -> Fresh:
    """Return what tells of several resources, to be kept for the account that may see them all."""
    seen = await versions(account_id, ids)
    return Fresh({"seen": seen, "value": value}, keep=len(seen) == len(set(ids)))


async def through(key: str, account_id: UUID, compute: Compute) -> Any:
    """Return a reader's own value from the cache while that reader may see all it tells of, each unchanged.

    `compute` returns what `listed` does; the key names the reader.
    """

    async def valid(value: Any) -> bool:
        return await unchanged(account_id, value["seen"])

    return (await cache.get_or_compute(key, compute, valid=valid)).value["value"]
