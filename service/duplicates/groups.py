"""Which resources are the same, or nearly: by the address, by the text, by what ingestion found alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, load_only

from service.annotations.tables import Annotation
from service.collections.tables import Collection, CollectionResource, readable
from service.database import ReadSession
from service.documents.tables import Document
from service.duplicates import separations
from service.resources.actions import LISTED
from service.resources.tables import Resource, visible
from service.security.accounts import Account

Reason = Literal["text", "address", "near"]

MOST = 2000  # of each reason, those that came in last

_SEEN = "(NOT {r}.private OR {r}.owner_id = :account_id)"
_SAME = """(SELECT '{reason}', array_agg(id) FROM resources r WHERE {column} IS NOT NULL AND {seen}
    GROUP BY {column} HAVING count(*) > 1 ORDER BY max(created_at) DESC LIMIT {most})"""
_ALIKE = text(
    " UNION ALL ".join(
        [
            *(
                _SAME.format(reason=reason, column=column, seen=_SEEN.format(r="r"), most=MOST)
                for reason, column in (("text", "content_hash"), ("address", "canonical_url"))
            ),
            f"""(SELECT 'near', ARRAY[r.id, o.id] FROM resources r JOIN resources o ON o.id = r.near_duplicate_of
            WHERE {_SEEN.format(r="r")} AND {_SEEN.format(r="o")} ORDER BY r.created_at DESC LIMIT {MOST})""",  # noqa: S608
        ]
    )
)


@dataclass(frozen=True, slots=True)
class Group:
    """Resources that are the same in some respect, or are linked by others that are."""

    ids: Sequence[UUID]
    reasons: Sequence[Reason]


def joined(alike: Iterable[tuple[Reason, Sequence[UUID]]]) -> list[Group]:
    """Join sets that have a member in common, in the order in which they first appear."""
    leader: dict[UUID, UUID] = {}

    def lead(id: UUID) -> UUID:
        while (above := leader.setdefault(id, id)) != id:
            leader[id] = leader[above]
            id = above
        return id

    found = list(alike)
    for _, ids in found:
        for id in ids[1:]:
            leader[lead(id)] = lead(ids[0])
    members: dict[UUID, dict[UUID, None]] = {}
    reasons: dict[UUID, dict[Reason, None]] = {}
    for reason, ids in found:
        members.setdefault(lead(ids[0]), {}).update(dict.fromkeys(ids))
        reasons.setdefault(lead(ids[0]), {})[reason] = None
    return [Group(list(ids), list(reasons[first])) for first, ids in members.items()]


async def groups(session: ReadSession, account: Account) -> list[Group]:
    """Return all groups of what the account may see and did not say is no duplicate."""
    separated = await separations.of(session, account)
    rows = await session.execute(_ALIKE, {"account_id": account.id})
    return joined((reason, some) for reason, ids in rows for some in separations.alike(ids, separated))


@dataclass(frozen=True, slots=True)
class Member:
    """A resource of a group, with how much people made of it, as far as the account may see it."""

    resource: Resource
    annotations: int
    collections: int
    file: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A group with its resources, the oldest first."""

    reasons: Sequence[Reason]
    members: Sequence[Member]


async def browse(
    session: ReadSession, account: Account, limit: int, offset: int, of: UUID | None = None
) -> tuple[int, list[Shown]]:
    """Return how many groups the account may see, and one page of them; with `of`, only the group of that resource."""
    found = [group for group in await groups(session, account) if of is None or of in group.ids]
    page = found[offset : offset + limit]
    ids = [id for group in page for id in group.ids]
    annotations = _number(Annotation.resource_id).where(Annotation.owner_id == account.id)
    collections = _number(CollectionResource.resource_id).where(
        Collection.id == CollectionResource.collection_id, readable(account)
    )
    rows = await session.execute(
        select(Resource, annotations.scalar_subquery(), collections.scalar_subquery(), Document.filename)
        .outerjoin(Document, Document.resource_id == Resource.id)
        .where(Resource.id.in_(ids), visible(account))
        .order_by(Resource.created_at, Resource.id)
        .options(load_only(*LISTED, Resource.media_type, raiseload=True))
    )
    members = {row[0].id: Member(*row) for row in rows}
    order = {id: place for place, id in enumerate(members)}
    shown: list[Shown] = []
    for group in page:
        there = sorted((id for id in group.ids if id in members), key=order.__getitem__)
        if len(there) > 1:  # one may have gone meanwhile
            shown.append(Shown(group.reasons, [members[id] for id in there]))
    return len(found), shown


def _number(of: InstrumentedAttribute[UUID]) -> Select[int]:
    return select(func.count()).where(of == Resource.id).correlate(Resource)
