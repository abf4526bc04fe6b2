"""Verbs of duplicates: merge, separate, rejoin."""

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

from sqlalchemy import delete, insert, select

from service.collections.concerned import concerned
from service.database import Session
from service.duplicates.events import ResourceMerged
from service.duplicates.moves import MOVES
from service.duplicates.tables import Separated
from service.errors import Conflict, Invalid, NotFound
from service.ingestion.canonical import canonical_url
from service.outbox import emit
from service.resources import actions as resources
from service.resources.tables import Resource, visible
from service.resources.tags import MOST, TooManyTags
from service.security.accounts import Account


class WithItself(Invalid):
    """Resource {id} cannot be merged into itself: name the others only."""


class WouldHide(Conflict):
    """Resource {id} is private and {other} is not: merging would take it from everybody else. Keep {other} instead."""


async def merge(session: Session, account: Account, id: UUID, others: Sequence[UUID]) -> Resource:
    """Give a resource what people made of others, tell so, and put those into the trash; returns the resource.

    Its title, text and source stay. It gets tags, annotations, collections, what was read, quiz questions with their
    cards, a category if it has none of its own, and what cites the others by their addresses and identifiers.
    Raises NotFound, WithItself, WouldHide, TooManyTags.
    """
    if id in others:
        raise WithItself(id=id)
    asked = sorted({id, *others})  # in one order, so that two such requests never wait for each other
    chosen = select(Resource).where(Resource.id.in_(asked), visible(account)).order_by(Resource.id).with_for_update()
    found = {resource.id: resource for resource in await session.scalars(chosen)}
    if unknown := [one for one in asked if one not in found]:
        raise NotFound(what="resource", id=unknown[0])
    kept = found.pop(id)
    going = [found[one] for one in dict.fromkeys(others)]
    if kept.private and (shared := next((one for one in going if not one.private), None)):
        raise WouldHide(id=id, other=shared.id)
    fields = {"tags": _tags(kept, going), "identifiers": list(dict.fromkeys(_identifiers(kept, going)))}
    await resources.apply(session, kept, fields, account.id)
    for statement in MOVES:
        await session.execute(statement, {"id": id, "others": list(found)})
    audience = kept.audience
    merged = ResourceMerged(
        resource_id=id,
        merged_ids=[one.id for one in going if audience is not None or not one.private],
        collection_ids=await concerned(session, id, audience),
        user_id=account.id,
    )
    emit(session, merged, audience=audience)
    for one in going:
        await resources.remove(session, account, one.id)
    await session.refresh(kept)
    return kept


async def separate(session: Session, account: Account, ids: Sequence[UUID]) -> UUID:
    """Write down that no two of these are duplicates for the account; returns the separation's id.

    Raises NotFound where the account may not see one of them.
    """
    asked = sorted(set(ids))
    seen = select(Resource.id).where(Resource.id.in_(asked), visible(account)).order_by(Resource.id)
    found = set(await session.scalars(seen.with_for_update(read=True, key_share=True)))
    if unknown := [one for one in asked if one not in found]:
        raise NotFound(what="resource", id=unknown[0])
    separation = uuid4()
    rows = [{"id": separation, "resource_id": id, "user_id": account.id} for id in asked]
    await session.execute(insert(Separated), rows)
    return separation


async def rejoin(session: Session, account: Account, id: UUID) -> None:
    """Forget a separation of the account; NotFound where it has none such."""
    gone = delete(Separated).where(Separated.id == id, Separated.user_id == account.id)
    if not (await session.scalars(gone.returning(Separated.resource_id))).all():
        raise NotFound(what="separation", id=id)


def _tags(kept: Resource, going: Sequence[Resource]) -> list[str]:
    known: dict[str, str] = {}
    for tag in (tag for one in (kept, *going) for tag in one.tags):
        known.setdefault(tag.casefold(), tag)  # a spelling that is there stays
    if len(known) > MOST:
        raise TooManyTags(id=kept.id, most=MOST)
    return list(known.values())


def _identifiers(kept: Resource, going: Sequence[Resource]) -> Iterator[str]:
    """Yield by what citations find the resource: its own, and what they found the others by."""
    yield from kept.identifiers
    own = {canonical_url(url) for url in (kept.url, kept.canonical_url) if url}
    for one in going:
        yield from one.identifiers
        for url in (one.url, one.canonical_url):
            if url and (canonical := canonical_url(url)) not in own:
                yield f"url:{canonical.partition('://')[2] or canonical}"
