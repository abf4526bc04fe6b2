"""HTTP for duplicates."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.duplicates import actions
from service.duplicates.groups import Reason, browse
from service.resources.shapes import FIELDS, ResourceItem, ResourceView, view
from service.web import Listed, Paged, Shape, account, page, parse, path_id, query, route


class Merge(Shape):
    """What is to be merged into a resource."""

    ids: list[UUID] = Field(min_length=1, max_length=100)


class DuplicateGroup(BaseModel):
    """Resources that are the same in these respects: `text`, `address`, or `near`, nearly the same text."""

    reasons: list[Reason]
    items: list[ResourceItem]


async def list_duplicates(request: Request) -> Response:
    """List what is in the library more than once, a group at a time, the oldest of each group first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, groups = await browse(session, account(request), asked.limit, asked.offset)
    items: list[dict[str, Any]] = []
    for group in groups:
        alike = [
            ResourceItem.model_validate({name: getattr(one.resource, name) for name in FIELDS if name != "content"})
            for one in group.members
        ]
        items.append({"reasons": group.reasons, "items": [one.model_dump(exclude_unset=True) for one in alike]})
    return page(items, total, asked)


async def merge_resources(request: Request) -> Response:
    """Give a resource what people made of others, and put those into the trash."""
    asked = await parse(request, Merge)
    async with transaction() as session:
        resource = await actions.merge(session, account(request), path_id(request, what="resource"), asked.ids)
    return view(resource)


routes = [
    route("GET", "/duplicates", list_duplicates, scope="read", queries=Paged, gives=Listed[DuplicateGroup]),
    route("POST", "/resources/{id}/merge", merge_resources, scope="write", takes=Merge, gives=ResourceView),
]
