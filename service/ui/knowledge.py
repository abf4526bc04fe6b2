"""The pages of categories and authors, and what is known of one item beside its text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from service.annotations import actions as annotations
from service.authors import actions as authors
from service.authors.tables import AuthorLink
from service.collections import actions as collections
from service.database import ReadSession, reading
from service.quality.actions import shown
from service.quality.tables import Quality
from service.resources import actions as resources
from service.security.accounts import Account
from service.taxonomy import tree
from service.taxonomy.tables import Category, Classification
from service.ui import library
from service.ui.collections import Turned
from service.ui.pages import render
from service.web import account, path_id, query

AUTHORS = 50  # on one page
HOLDING = 50  # collections of one item that are named


class Named(Turned):
    """A part of the name, and which part of the list."""

    q: str = Field("", max_length=1000)


@dataclass(frozen=True, slots=True)
class Known:
    """Quality as it is answered over HTTP (None until it is assessed), categories, collections, authors by name.

    Annotations are those of who looks, in reading order.
    """

    quality: dict[str, Any] | None
    categories: Sequence[Any]
    none: bool  # whether a person said that it belongs to no category
    collections: list[dict[str, Any]]
    authors: dict[str, UUID]
    annotations: list[dict[str, Any]]


async def known_of(session: ReadSession, who: Account, id: UUID) -> Known:
    """Return what is known of an item that the account may see."""
    quality = await session.scalar(select(Quality).where(Quality.resource_id == id))
    assigned = select(Category.id, Category.name, Classification.is_predicted, Classification.confidence).join(
        Classification, Classification.category_id == Category.id
    )
    assigned = assigned.where(Classification.resource_id == id, Classification.assigned)
    categories = (await session.execute(assigned.order_by(Classification.rank))).all()
    none = select(Classification.resource_id).where(
        Classification.resource_id == id, Classification.category_id.is_(None)
    )
    _, holding = await collections.browse(session, who, resource_id=id, limit=HOLDING, offset=0)
    _, marked = await annotations.browse(session, who, resource_id=id, limit=annotations.MOST, offset=0)
    links = await session.execute(select(AuthorLink.written, AuthorLink.author_id).where(AuthorLink.resource_id == id))
    return Known(
        None if quality is None else shown(quality),
        categories,
        await session.scalar(none) is not None,
        holding,
        {row.written: row.author_id for row in links},
        marked,
    )


async def categories_page(request: Request) -> Response:
    """The tree of categories."""
    async with reading() as session:
        rows = await tree.listed(session)
    return render(request, "categories.html", roots=tree.nested(rows))


async def category_page(request: Request) -> Response:
    """One category, what is below it, and what is in it."""
    who, id, asked = account(request), path_id(request, what="category"), query(request, Turned)
    async with reading() as session:
        category = await tree.find(session, id)
        below = await tree.children(session, id)
        total, found = await resources.browse(session, who, category=str(id), limit=library.PAGE, offset=asked.after())
        items = await library.some(session, who, [one.id for one in found])
    return render(request, "category.html", category=category, below=below, items=items, page=asked.page,
                  above=list(zip(category.lineage, category.names, strict=True))[:-1],
                  more=total > asked.page * library.PAGE)  # fmt: skip


async def authors_page(request: Request) -> Response:
    """Who wrote what you may see."""
    who, asked = account(request), query(request, Named)
    async with reading() as session:
        total, rows = await authors.browse(session, who, asked.q or None, AUTHORS, asked.after(AUTHORS))
    return render(request, "authors.html", rows=rows, q=asked.q, page=asked.page, more=total > asked.page * AUTHORS)


async def author_page(request: Request) -> Response:
    """One author: what is here, with whom, under which names."""
    async with reading() as session:
        profile = await authors.read(session, account(request), path_id(request, what="author"))
    return render(request, "author.html", author=profile)
