"""Verbs of classifications: say what a resource is about, take it back, tell it, list what is uncertain."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, text
from sqlalchemy.orm import aliased

from service.database import ReadSession, Session
from service.errors import Invalid, NotFound
from service.outbox import emit
from service.resources.tables import Resource, visible
from service.security.accounts import Account
from service.taxonomy.events import ResourceClassified
from service.taxonomy.labels import ASSIGNED, TURN, learn
from service.taxonomy.state import advance
from service.taxonomy.tables import Category, Classification

MOST = 5  # that are told of a resource, what a person said included
UNSURE = 0.5  # confidence; a best prediction below it is for people to look at


class UnknownCategory(Invalid):
    """There is no category {what}."""


_LABEL = text(
    """INSERT INTO classifications
        (resource_id, is_predicted, rank, category_id, confidence, assigned, user_id, classified_at)
    VALUES (:id, false, 0, :category_id, 1, CAST(:category_id AS uuid) IS NOT NULL, :user_id, clock_timestamp())
    ON CONFLICT (resource_id, is_predicted, rank) DO UPDATE SET category_id = excluded.category_id,
        assigned = excluded.assigned, user_id = excluded.user_id, classified_at = excluded.classified_at"""
)
_UNLABEL = text("DELETE FROM classifications WHERE resource_id = :id AND NOT is_predicted")
_OUTRANKED = text("UPDATE classifications SET assigned = false WHERE resource_id = :id AND is_predicted AND assigned")
_BACK = text(
    f"""UPDATE classifications SET assigned = confidence >= {ASSIGNED}
    WHERE resource_id = :id AND is_predicted RETURNING rank, category_id, assigned"""  # noqa: S608
)

TOLD = (
    Category.id.label("category_id"),
    Category.name.label("category"),
    Category.path,
    Classification.confidence,
    Classification.is_predicted,
)


async def predictions(session: ReadSession, account: Account, resource_id: UUID) -> dict[str, Any]:
    """Return what a resource is about: what a person said, then what is predicted; NotFound unless it is visible.

    `none` tells whether a person said that it belongs to none of them.
    """
    await _audience(session, account, resource_id)
    return await _answer(session, resource_id)


async def label(
    session: Session, account: Account, resource_id: UUID, category_id: UUID | None = None, path: str | None = None
) -> dict[str, Any]:
    """Say, by id or path, which category a resource belongs to: it outranks predictions, and the category learns.

    With neither it belongs to none. Raises NotFound for a resource that is not visible, UnknownCategory. Returns what
    `predictions` does.
    """
    audience = await _audience(session, account, resource_id, lock=True)
    version = await advance(session)
    found = None
    if category_id is not None or path is not None:
        wanted = Category.id == category_id if path is None else Category.path == path.strip("/")
        found = await session.scalar(select(Category.id).where(wanted).limit(1))
        if found is None:
            raise UnknownCategory(what=category_id if path is None else path[:200])
    await session.execute(TURN, {"id": resource_id})
    before = await _said_of(session, resource_id)
    if before != [found]:
        await session.execute(_LABEL, {"id": resource_id, "category_id": found, "user_id": account.id})
        await session.execute(_OUTRANKED, {"id": resource_id})
        await learn(session, {one for one in (found, *before) if one}, version)
        emit(
            session,
            ResourceClassified(resource_id=resource_id, taxonomy_ids=[found] if found else []),
            audience=audience,
        )
    return await _answer(session, resource_id)


async def unlabel(session: Session, account: Account, resource_id: UUID) -> None:
    """Take back what a person said: predictions count again. NotFound where nobody said anything."""
    audience = await _audience(session, account, resource_id, lock=True)
    version = await advance(session)
    await session.execute(TURN, {"id": resource_id})
    before = await _said_of(session, resource_id)
    if not before:
        raise NotFound(what="label of the resource", id=resource_id)
    await session.execute(_UNLABEL, {"id": resource_id})
    rows = sorted((await session.execute(_BACK, {"id": resource_id})).all())
    await learn(session, [one for one in before if one], version)
    ids = [row.category_id for row in rows if row.assigned]
    emit(session, ResourceClassified(resource_id=resource_id, taxonomy_ids=ids), audience=audience)


async def uncertain(
    session: ReadSession, account: Account, limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    """Return how many visible resources nobody labelled and nothing is sure about, and a page, the least sure first."""
    said = aliased(Classification)
    label = select(said.rank).where(said.resource_id == Resource.id, said.is_predicted.is_(False))
    doubtful = (
        select(Resource.id, Resource.title, Resource.url, Resource.created_at, Classification.confidence)
        .join(Classification, Classification.resource_id == Resource.id)
        .where(
            Classification.is_predicted,
            Classification.rank == 0,
            Classification.confidence < UNSURE,
            visible(account),
            ~label.exists(),
        )
    )
    total = await session.scalar(select(func.count()).select_from(doubtful.subquery()))
    order = (Classification.confidence, Resource.id)
    rows = (await session.execute(doubtful.order_by(*order).limit(limit).offset(offset))).mappings().all()
    told = await _told(session, [row["id"] for row in rows])
    return total or 0, [{**row, "predictions": told[row["id"]]} for row in rows]


async def counted(session: ReadSession, account: Account, category_id: UUID) -> int:
    """Return how many resources that the account may see are in a category or below it."""
    inside = (
        select(Classification.resource_id)
        .join(Category, Category.id == Classification.category_id)
        .where(Classification.assigned, Category.lineage.contains([category_id]))
    )
    among = select(func.count()).select_from(Resource).where(Resource.id.in_(inside), visible(account))
    return await session.scalar(among) or 0


async def _told(session: ReadSession, resource_ids: Sequence[UUID]) -> Mapping[UUID, list[dict[str, Any]]]:
    rows = await session.execute(
        select(Classification.resource_id, *TOLD)
        .join(Category, Category.id == Classification.category_id)
        .where(Classification.resource_id.in_(resource_ids))
        .order_by(Classification.resource_id, Classification.is_predicted, Classification.rank)
    )
    told: dict[UUID, dict[UUID, dict[str, Any]]] = {id: {} for id in resource_ids}
    for row in rows.mappings():
        told[row["resource_id"]].setdefault(row["category_id"], _without_resource(row))  # the label goes first
    return {id: list(each.values())[:MOST] for id, each in told.items()}


def _without_resource(row: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "resource_id"}


async def _answer(session: ReadSession, resource_id: UUID) -> dict[str, Any]:
    none = await _said_of(session, resource_id) == [None]
    return {"predictions": (await _told(session, [resource_id]))[resource_id], "none": none}


async def _said_of(session: ReadSession, resource_id: UUID) -> list[UUID | None]:
    """Return what a person said, None for none of the categories; nothing where nobody said anything."""
    said = select(Classification.category_id).where(
        Classification.resource_id == resource_id, Classification.is_predicted.is_(False)
    )
    return list(await session.scalars(said))


async def _audience(session: ReadSession, account: Account, resource_id: UUID, *, lock: bool = False) -> UUID | None:
    """Return who alone may hear of a resource; NotFound unless the account may see it."""
    seen = select(Resource.owner_id, Resource.private).where(Resource.id == resource_id, visible(account))
    row = (await session.execute(seen.with_for_update(read=True, key_share=True) if lock else seen)).one_or_none()
    if row is None:
        raise NotFound(what="resource", id=resource_id)
    return row.owner_id if row.private else None
