"""In what state things are, as PostgreSQL knows it: one look by primary keys, before anything is served from the cache.

All who ask in one turn of the event loop share the look, which begins after the last of them has asked.

`xmin` is the transaction that last wrote a row: it changes with every write, also with those that count no version.
"""

import asyncio
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
    FROM classifications k LEFT JOIN categories c ON c.id = k.category_id WHERE k.resource_id = r.id)"""
STATES: dict[Kind, str] = {
    "resource": f"concat_ws(' ', r.version, r.xmin, 'q', {_QUALITY}, 'c', {_ABOUT})",
    "quality": f"concat_ws(' ', {_QUALITY})",
    "classification": f"concat_ws(' ', {_ABOUT})",
}
_SEEN = "(NOT r.private OR r.owner_id = {account})"
_ONE: dict[Kind, Statement] = {  # PostgreSQL keeps its plan; it makes one anew for every length of a list
    kind: Statement(f"SELECT 1, {state} FROM resources r WHERE r.id = :id AND {_SEEN.format(account=':account')}")  # noqa: S608
    for kind, state in STATES.items()
}
_SEVERAL: dict[Kind, Statement] = {
    kind: Statement(
        f"""SELECT asked.place, {state}
        FROM unnest(CAST(:ids AS uuid[]), CAST(:accounts AS uuid[])) WITH ORDINALITY AS asked(id, account, place)
        JOIN resources r ON r.id = asked.id AND {_SEEN.format(account="asked.account")}"""  # noqa: S608
    )
    for kind, state in STATES.items()
}
_VERSIONS = Statement(
    """SELECT CAST(id AS text), version FROM resources
    WHERE id = ANY(CAST(:ids AS uuid[])) AND (NOT private OR owner_id = :account)"""
)


class _Look:
    """One look at states of a kind; `asked` grows until it begins."""

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self.asked: list[tuple[UUID, UUID]] = []
        self.found = asyncio.create_task(self._find(), name=f"states of {kind}")  # begins with the next turn

    async def _find(self) -> dict[int, str]:
        if _next.get(self.kind) is self:
            del _next[self.kind]
        if len(self.asked) == 1:
            id, account = self.asked[0]
            rows = await fetch(_ONE[self.kind], id=id, account=account)
        else:
            ids, accounts = zip(*self.asked, strict=True)
            rows = await fetch(_SEVERAL[self.kind], ids=ids, accounts=accounts)
        return {place - 1: state for place, state in rows}


_next: dict[Kind, _Look] = {}  # those that have not begun


async def state(kind: Kind, account_id: UUID, resource_id: UUID) -> str:
    """Return in what state something of a resource is, for an account that may see it; raises NotFound."""
    look = _next.get(kind)
    if look is None or look.found.done():  # a loop that closed in between
        look = _next[kind] = _Look(kind)
    place = len(look.asked)
    look.asked.append((resource_id, account_id))
    found = await asyncio.shield(look.found)
    if place not in found:
        raise NotFound(what="resource", id=resource_id)
    return found[place]


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
