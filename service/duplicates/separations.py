"""What an account says are no duplicates: the same to a machine, and yet not for a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import load_only

from service.database import ReadSession
from service.duplicates.tables import Separated
from service.resources.actions import LISTED
from service.resources.tables import Resource, visible
from service.security.accounts import Account

Separations = Mapping[UUID, frozenset[UUID]]  # of each resource, in which separations it is
_NONE: frozenset[UUID] = frozenset()


def alike(ids: Sequence[UUID], separations: Separations) -> Iterator[Sequence[UUID]]:
    """Yield what is still alike of a set: those of which some two are in no separation together."""
    members: dict[frozenset[UUID], list[UUID]] = {}
    for id in ids:
        members.setdefault(separations.get(id, _NONE), []).append(id)
    if len(free := members.get(_NONE, [])) > 1:
        yield free
    for one, other in combinations(members, 2):
        if one.isdisjoint(other):
            yield [*members[one], *members[other]]


async def of(session: ReadSession, account: Account, ids: Sequence[UUID] | None = None) -> Separations:
    """Return what the account said, of these resources or of all."""
    rows = select(Separated.resource_id, func.array_agg(Separated.id)).where(Separated.user_id == account.id)
    rows = rows if ids is None else rows.where(Separated.resource_id.in_(ids))
    return {id: frozenset(found) for id, found in await session.execute(rows.group_by(Separated.resource_id))}


@dataclass(frozen=True, slots=True)
class Separation:
    """What an account said at once, as far as it still sees it."""

    id: UUID
    separated_at: datetime
    resources: Sequence[Resource]


async def listed(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, list[Separation]]:
    """Return how many separations an account has of which it sees two resources or more, and a page of them."""
    mine = select(Separated.id, func.min(Separated.separated_at).label("at"))
    mine = mine.join(Resource, Resource.id == Separated.resource_id)
    mine = mine.where(Separated.user_id == account.id, visible(account)).group_by(Separated.id)
    mine = mine.having(func.count() > 1)
    total = await session.scalar(select(func.count()).select_from(mine.subquery()))
    page = (await session.execute(mine.order_by(func.min(Separated.separated_at).desc(), Separated.id.desc())
                                  .limit(limit).offset(offset))).all()  # fmt: skip
    rows = select(Separated.id, Resource).join(Resource, Resource.id == Separated.resource_id)
    rows = rows.where(Separated.id.in_([row.id for row in page]), visible(account))
    rows = rows.order_by(Resource.created_at, Resource.id)
    rows = rows.options(load_only(*LISTED, Resource.media_type, raiseload=True))
    members: dict[UUID, list[Resource]] = {}
    for id, resource in await session.execute(rows):
        members.setdefault(id, []).append(resource)
    return total or 0, [Separation(row.id, row.at, members.get(row.id, [])) for row in page]
