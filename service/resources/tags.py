"""Tags: words that people put on resources. One spelling counts once, whatever its case."""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, union_all

from service.database import ReadSession, Session
from service.errors import Invalid, NotFound, unchanged_since
from service.resources.actions import change
from service.resources.tables import FEW_TAGS, Resource, visible
from service.security.accounts import Account

LONGEST = 64  # characters
MOST = 64  # of one resource


class TooManyTags(Invalid):
    """The resource {id} would have more than {most} tags: remove some first."""


def normalised(tags: Iterable[str]) -> list[str]:
    """Return tags without what only looks different: NFC, single blanks, the first spelling of each.

    Raises ValueError for one that is empty, too long or has control characters, and for too many.
    """
    known: dict[str, str] = {}
    for tag in tags:
        clean = " ".join(unicodedata.normalize("NFC", tag).split())
        if not clean:
            raise ValueError("a tag is empty")
        if len(clean) > LONGEST:
            raise ValueError(f"the tag {clean[:20]}... is longer than {LONGEST} characters")
        if not clean.isprintable():
            raise ValueError(f"the tag {clean!r} has control characters in it")
        known.setdefault(clean.casefold(), clean)
    if len(known) > MOST:
        raise ValueError(f"there are more than {MOST} tags")
    return list(known.values())


async def retag(
    session: Session,
    account: Account,
    resource_id: UUID,
    add: Sequence[str],
    remove: Sequence[str],
    if_match: int | None = None,
) -> dict[str, Any]:
    """Add and remove tags of a resource, and nothing else of it; returns its row.

    Raises NotFound, TooManyTags, PreconditionFailed.
    """
    chosen = select(Resource.tags, Resource.version).where(Resource.id == resource_id, visible(account))
    present = (await session.execute(chosen.with_for_update())).one_or_none()
    if present is None:
        raise NotFound(what="resource", id=resource_id)
    unchanged_since(if_match, present.version)
    tags: list[str] = present.tags
    unwanted = {tag.casefold() for tag in remove}
    known = {tag.casefold(): tag for tag in [*add, *tags]}  # a spelling that is there stays
    kept = [tag for key, tag in known.items() if key not in unwanted]
    if len(kept) > MOST:
        raise TooManyTags(id=resource_id, most=MOST)
    order = {tag: place for place, tag in enumerate([*tags, *add])}
    return dict(await change(session, account, resource_id, {"tags": sorted(kept, key=order.__getitem__)}))


async def counted(session: ReadSession, account: Account, prefix: str, limit: int) -> list[tuple[str, int]]:
    """Return the tags that begin so, of what the account may see, with how many resources have them; most first."""
    tag = func.unnest(Resource.tags).label("tag")
    size = func.cardinality(Resource.tags)
    few, many = size.between(text("1"), text(str(FEW_TAGS))), size > text(str(FEW_TAGS))  # as the indexes say it
    each = union_all(*(select(tag).where(visible(account), so) for so in (few, many))).subquery()
    number = func.count().label("number")
    chosen = (
        select(each.c.tag, number)
        .where(each.c.tag.istartswith(prefix, autoescape=True))
        .group_by(each.c.tag)
        .order_by(number.desc(), each.c.tag)
        .limit(limit)
    )
    return [(row.tag, row.number) for row in await session.execute(chosen)]
