"""Passages that somebody had marked elsewhere: they wait until the text is there, then they become annotations."""

import hashlib
import re
from collections.abc import Sequence
from typing import cast
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from service.annotations import actions as annotations
from service.annotations.anchoring import LONGEST
from service.annotations.tables import Annotation
from service.database import ReadSession, Session
from service.errors import PharosError
from service.imports.entry import Highlight
from service.imports.tables import ImportHighlight
from service.resources.tables import Resource
from service.security.accounts import Account
from service.security.permissions import ROLES, Role
from service.security.tables import User

COLOURS = ("yellow", "green", "blue", "pink", "purple", "orange")
SIMILAR = {"red": "pink", "gray": "yellow", "grey": "yellow"}


async def keep(session: Session, owner_id: UUID, resource_id: UUID, found: Sequence[Highlight]) -> None:
    """Keep passages of a resource until they can be placed; what was kept before is not kept again."""
    for one in found:
        row = {
            "quote_hash": hashlib.sha256(one.quote.encode()).hexdigest(),
            "quote": one.quote,
            "note": one.note,
            "tags": one.tags,
            "colour": one.colour,
        }
        kept = insert(ImportHighlight).values(owner_id=owner_id, resource_id=resource_id, **row)
        await session.execute(kept.on_conflict_do_nothing())


async def place(session: Session, resource_id: UUID) -> int:
    """Mark those of the waiting passages that are in the text of a resource; returns how many."""
    waiting = select(ImportHighlight).where(
        ImportHighlight.resource_id == resource_id, ImportHighlight.placed.is_(False)
    )
    rows = (await session.scalars(waiting.with_for_update(skip_locked=True))).all()
    if not rows:
        return 0
    found = (
        await session.execute(select(Resource.content, Resource.content_hash).where(Resource.id == resource_id))
    ).one_or_none()
    if found is None or not found.content_hash:
        return 0
    placed = 0
    for row in rows:
        if row.tried_in != found.content_hash:
            row.tried_in = found.content_hash
            row.placed = await _mark(session, row, found.content)
            placed += row.placed
    await session.flush()
    return placed


async def _mark(session: Session, row: ImportHighlight, content: str) -> bool:
    account = await account_of(session, row.owner_id)
    there = passage(content, row.quote)
    if account is None or there is None:
        return False
    start, end = there
    marked = select(Annotation.id).where(
        Annotation.owner_id == row.owner_id,
        Annotation.resource_id == row.resource_id,
        Annotation.start == start,
        Annotation.end == end,
    )
    if await session.scalar(marked) is not None:
        return True
    colour = SIMILAR.get(row.colour or "", row.colour)
    fields = {"start": start, "end": end, "note": row.note, "tags": row.tags}
    fields["colour"] = colour if colour in COLOURS else "yellow"
    try:
        async with session.begin_nested():
            await annotations.create(session, account, row.resource_id, fields)
    except PharosError:
        return False
    return True


def passage(content: str, quote: str) -> tuple[int, int] | None:
    """Return where a quote stands in a text, whatever blanks and line breaks lie between its words."""
    start = content.find(quote)
    if start >= 0:
        return (start, start + len(quote)) if 0 < len(quote) <= LONGEST else None
    found = re.search(r"\s+".join(map(re.escape, quote.split())), content) if quote.strip() else None
    return None if found is None or found.end() - found.start() > LONGEST else found.span()


async def account_of(session: ReadSession, owner_id: UUID) -> Account | None:
    """Return the account of whoever asked for an import, as it may act now; None where it is disabled.

    A worker may read these columns of users, and not their passwords.
    """
    asked = select(User.id, User.username, User.role).where(User.id == owner_id, User.disabled_at.is_(None))
    user = (await session.execute(asked)).one_or_none()
    if user is None:
        return None
    role = cast("Role", user.role)
    return Account(user.id, user.username, role, ROLES[role])


async def place_waiting(session: Session, limit: int = 200) -> int:
    """Place passages whose text came while nobody listened; returns how many."""
    waiting = (
        select(ImportHighlight.resource_id)
        .join(Resource, Resource.id == ImportHighlight.resource_id)
        .where(
            ImportHighlight.placed.is_(False),
            Resource.content_hash.is_not(None),
            ImportHighlight.tried_in.is_distinct_from(Resource.content_hash),
        )
        .distinct()
        .limit(limit)
    )
    return sum([await place(session, id) for id in (await session.scalars(waiting)).all()])
