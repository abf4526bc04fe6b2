"""Where in the tree a collection may be: among its owner's own, not inside itself, not too deep."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.collections.tables import Collection
from service.database import Session
from service.errors import Conflict

DEEPEST = 20  # levels

_TURN = text("SELECT pg_advisory_xact_lock(7262031, uuid_hash(CAST(:owner AS uuid)))")
_ABOVE = text(
    """WITH RECURSIVE above AS (
        SELECT id, parent_id FROM collections WHERE id = :parent
        UNION ALL SELECT c.id, c.parent_id FROM collections c JOIN above ON c.id = above.parent_id
    )
    SELECT id FROM above"""
)
_HEIGHT = text(
    """WITH RECURSIVE below AS (
        SELECT id, 1 AS level FROM collections WHERE id = :id
        UNION ALL SELECT c.id, level + 1 FROM collections c JOIN below ON c.parent_id = below.id
    )
    SELECT max(level) FROM below"""
)


class InsideItself(Conflict):
    """The collection {id} cannot be put into {parent}, which is, or lies in, the collection itself."""


class TooDeep(Conflict):
    """Collections are nested at most {deepest} levels deep: there would be {levels}."""


async def take_turn(session: Session, owner_id: UUID) -> None:
    """Let changes of one owner's tree follow one another, or two moves at once could make a circle.

    It comes before any row is locked: whoever has the turn then waits for nobody who waits for it.
    """
    await session.execute(_TURN, {"owner": owner_id})


async def check_place(session: Session, parent: Collection, moved: UUID | None) -> None:
    """Raise InsideItself or TooDeep where a collection (None: a new one) cannot be put into `parent`.

    The caller has its turn, and has checked that both are the owner's own.
    """
    above = list(await session.scalars(_ABOVE, {"parent": parent.id}))
    if moved in above:
        raise InsideItself(id=moved, parent=parent.id)
    given: dict[str, Any] = {"id": moved}
    height = 1 if moved is None else await session.scalar(_HEIGHT, given) or 1
    if len(above) + height > DEEPEST:
        raise TooDeep(deepest=DEEPEST, levels=len(above) + height)
