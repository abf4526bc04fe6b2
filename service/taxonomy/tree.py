"""Verbs of the tree: add, change, merge and remove categories, one change at a time; paths follow."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import RowMapping, delete, func, select, text

from service.database import ReadSession, Session
from service.errors import Conflict, Invalid, NotFound
from service.outbox import emit
from service.security.accounts import Account
from service.taxonomy.events import TaxonomyChanged
from service.taxonomy.labels import hand_over, learn, release
from service.taxonomy.slugs import slug, unique
from service.taxonomy.state import advance
from service.taxonomy.tables import Category

DEEPEST = 64  # levels


class SiblingExists(Conflict):
    """There is a category {name} at this place already: {path}."""


class Circle(Conflict):
    """{path} cannot go below itself: choose a category outside of it."""


class TooDeep(Invalid):
    """The tree would be deeper than {most} levels."""


class HasChildren(Conflict):
    """{path} has subcategories: move or delete these first, or ask with `subtree=true` to delete them, too."""


class IntoItself(Invalid):
    """A category cannot be merged into itself."""


class UnknownParent(Invalid):
    """There is no category {id} to be the parent."""


_FOLLOW = text(
    """WITH RECURSIVE moved AS (
        SELECT c.id, CASE WHEN p.id IS NULL THEN c.slug ELSE p.path || '/' || c.slug END AS path,
            coalesce(p.names, '{}') || c.name AS names, coalesce(p.lineage, '{}') || c.id AS lineage
        FROM categories c LEFT JOIN categories p ON p.id = c.parent_id WHERE c.id = :id
        UNION ALL
        SELECT c.id, m.path || '/' || c.slug, m.names || c.name, m.lineage || c.id
        FROM categories c JOIN moved m ON c.parent_id = m.id
    ),
    followed AS (
        UPDATE categories c SET path = m.path, names = m.names, lineage = m.lineage, revision = :version
        FROM moved m
        WHERE c.id = m.id AND (c.path, c.names, c.lineage) IS DISTINCT FROM (m.path, m.names, m.lineage)
    )
    SELECT max(cardinality(lineage)) FROM moved"""
)
# Categories are locked in one order by everybody, before their classifications.
_LOCK_BOTH = text("SELECT FROM categories WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE")
_LOCK = text("SELECT FROM categories WHERE lineage @> ARRAY[CAST(:id AS uuid)] ORDER BY id FOR UPDATE")
_DROP = text("DELETE FROM categories WHERE lineage @> ARRAY[CAST(:id AS uuid)]")


async def find(session: ReadSession, category_id: UUID) -> Category:
    """Return a category; NotFound where there is none."""
    category = await session.scalar(
        select(Category).where(Category.id == category_id).execution_options(populate_existing=True)
    )
    if category is None:
        raise NotFound(what="category", id=category_id)
    return category


NODE = (Category.id, Category.parent_id, Category.name, Category.slug, Category.path, Category.description)


async def listed(session: ReadSession) -> Sequence[RowMapping]:
    """Return all categories, parents before children, siblings by name."""
    order = (func.cardinality(Category.lineage), func.lower(Category.name), Category.id)
    return (await session.execute(select(*NODE).order_by(*order))).mappings().all()


def nested(rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Return the roots, each with its `children`, of rows that name parents before children."""
    nodes: dict[UUID, dict[str, Any]] = {}
    roots: list[dict[str, Any]] = []
    for row in rows:
        node = nodes[row["id"]] = {**row, "children": []}
        above = nodes.get(row["parent_id"])
        (roots if above is None else above["children"]).append(node)
    return roots


async def children(session: ReadSession, category_id: UUID) -> Sequence[Category]:
    """Return what is directly below a category."""
    below = select(Category).where(Category.parent_id == category_id).order_by(func.lower(Category.name), Category.id)
    return (await session.scalars(below)).all()


async def add(
    session: Session, account: Account, name: str, parent_id: UUID | None = None, description: str | None = None
) -> Category:
    """Add a category; SiblingExists where there is one of that name, UnknownParent, TooDeep."""
    version = await advance(session)
    category = Category(
        id=uuid4(), name=name, description=description, parent_id=parent_id, path="", names=[], lineage=[]
    )
    await _place(session, category)
    session.add(category)
    await session.flush()
    await _follow(session, category, version)
    _tell(session, category.id, "created", account)
    return await find(session, category.id)


async def change(session: Session, account: Account, category_id: UUID, fields: Mapping[str, Any]) -> Category:
    """Rename, move or describe a category; Circle where it would go below itself, else what `add` raises."""
    version = await advance(session)
    category = await find(session, category_id)
    changed = {name for name, value in fields.items() if getattr(category, name) != value}
    if not changed:
        return category
    for name in changed:
        setattr(category, name, fields[name])
    if changed & {"name", "parent_id"}:
        await _place(session, category)
    category.revision, category.updated_at = version, func.now()
    await session.flush()
    await _follow(session, category, version)
    _tell(session, category_id, "updated", account)
    return await find(session, category_id)


async def merge(session: Session, account: Account, category_id: UUID, into_id: UUID) -> Category:
    """Give a category's resources, labels and subcategories to another one, and delete it.

    Raises IntoItself, Circle where the other is below it, SiblingExists where both have a subcategory of one name.
    """
    if category_id == into_id:
        raise IntoItself
    version = await advance(session)
    category, into = await find(session, category_id), await find(session, into_id)
    if category_id in into.lineage:
        raise Circle(path=category.path)
    for child in await children(session, category_id):
        child.parent_id = into_id
        await _place(session, child)
        await session.flush()
        await _follow(session, child, version)
    await session.execute(_LOCK_BOTH, {"ids": [category_id, into_id]})
    await hand_over(session, category_id, into_id)
    await session.execute(delete(Category).where(Category.id == category_id))
    await learn(session, [into_id], version)
    _tell(session, category_id, "merged", account)
    return await find(session, into_id)


async def remove(session: Session, account: Account, category_id: UUID, *, subtree: bool = False) -> None:
    """Delete a category; what was in it is predicted anew. HasChildren unless these are to go with it."""
    await advance(session)
    category = await find(session, category_id)
    if not subtree and await children(session, category_id):
        raise HasChildren(path=category.path)
    await session.execute(_LOCK, {"id": category_id})
    await release(session, category_id)
    await session.execute(_DROP, {"id": category_id})
    _tell(session, category_id, "deleted", account)


async def _place(session: Session, category: Category) -> None:
    """Check the place of a category among its siblings and give it its slug there."""
    with session.no_autoflush:
        if category.parent_id is not None:
            above = await session.scalar(select(Category.lineage).where(Category.id == category.parent_id))
            if above is None:
                raise UnknownParent(id=category.parent_id)
            if category.id in above:
                raise Circle(path=category.path)
        siblings = select(Category.name, Category.slug, Category.path).where(
            Category.parent_id.is_not_distinct_from(category.parent_id), Category.id != category.id
        )
        rows = (await session.execute(siblings)).all()
    for row in rows:
        if row.name.casefold() == category.name.casefold():
            raise SiblingExists(name=row.name, path=row.path)
    category.slug = unique(slug(category.name), {row.slug for row in rows})


async def _follow(session: Session, category: Category, version: int) -> None:
    deepest = (await session.execute(_FOLLOW, {"id": category.id, "version": version})).scalar_one()
    if deepest > DEEPEST:
        raise TooDeep(most=DEEPEST)


def _tell(session: Session, category_id: UUID, change: Any, account: Account) -> None:
    emit(session, TaxonomyChanged(category_id=category_id, change=change, user_id=account.id), audience=None)
