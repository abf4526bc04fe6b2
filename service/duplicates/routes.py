"""HTTP for duplicates."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.duplicates import actions, separations
from service.duplicates.groups import Reason, browse
from service.resources.shapes import FIELDS, ResourceItem, ResourceView, view
from service.resources.tables import Resource
from service.web import Listed, Paged, Shape, account, no_content, page, parse, path_id, query, respond, route


class Merge(Shape):
    """What is to be merged into a resource."""

    ids: list[UUID] = Field(min_length=1, max_length=100)


def _two(ids: list[UUID]) -> list[UUID]:
    if len(set(ids)) < 2:
        raise ValueError("name two resources or more")
    return ids


class Separate(Shape):
    """Resources of which no two are duplicates."""

    ids: Annotated[list[UUID], Field(min_length=2, max_length=100), AfterValidator(_two)]


class Made(BaseModel):
    """What was said, by which it can be undone."""

    id: UUID


class SeparationView(BaseModel):
    """What you said are no duplicates, the oldest first."""

    id: UUID
    separated_at: datetime
    items: list[ResourceItem]


class DuplicateGroup(BaseModel):
    """Resources that are the same in these respects: `text`, `address`, or `near`, nearly the same text."""

    reasons: list[Reason]
    items: list[ResourceItem]


async def list_duplicates(request: Request) -> Response:
    """List what is in the library more than once, a group at a time, the oldest of each group first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, groups = await browse(session, account(request), asked.limit, asked.offset)
    items = [{"reasons": group.reasons, "items": [_shown(one.resource) for one in group.members]} for group in groups]
    return page(items, total, asked)


def _shown(resource: Resource) -> dict[str, Any]:
    item = ResourceItem.model_validate({name: getattr(resource, name) for name in FIELDS if name != "content"})
    return item.model_dump(exclude_unset=True)


async def merge_resources(request: Request) -> Response:
    """Give a resource what people made of others, and put those into the trash."""
    asked = await parse(request, Merge)
    async with transaction() as session:
        resource = await actions.merge(session, account(request), path_id(request, what="resource"), asked.ids)
    return view(resource)


async def list_separations(request: Request) -> Response:
    """List what you said are no duplicates, said last first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, found = await separations.listed(session, account(request), asked.limit, asked.offset)
    items = [
        {"id": one.id, "separated_at": one.separated_at, "items": [_shown(resource) for resource in one.resources]}
        for one in found
    ]
    return page(items, total, asked)


async def separate_resources(request: Request) -> Response:
    """Say that no two of these are duplicates; they are not shown to you as such again."""
    asked = await parse(request, Separate)
    async with transaction() as session:
        id = await actions.separate(session, account(request), asked.ids)
    return respond({"id": id}, 201)


async def rejoin_resources(request: Request) -> Response:
    """Undo it: they may be duplicates after all."""
    async with transaction() as session:
        await actions.rejoin(session, account(request), path_id(request, what="separation"))
    return no_content()


SEPARATIONS = "/duplicates/separations"

# What somebody takes for the same is that person's own: who may only read may say so, too.
routes = [
    route("GET", "/duplicates", list_duplicates, scope="read", queries=Paged, gives=Listed[DuplicateGroup]),
    route("GET", SEPARATIONS, list_separations, scope="read", queries=Paged, gives=Listed[SeparationView]),
    route("POST", SEPARATIONS, separate_resources, scope="read", takes=Separate, gives=Made, status=201),
    route("DELETE", f"{SEPARATIONS}/{{id}}", rejoin_resources, scope="read", status=204),
    route("POST", "/resources/{id}/merge", merge_resources, scope="write", takes=Merge, gives=ResourceView),
]
