"""HTTP for resources."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.database import reading, transaction
from service.errors import NotFound
from service.quality.tables import qualities_of
from service.resources import actions
from service.resources.cached import shown
from service.resources.shapes import (
    Browse,
    ResourceChange,
    ResourceItem,
    ResourceView,
    TagChange,
    TagChanges,
    TaggedList,
    TagList,
    TagPrefix,
    known,
    view,
    without_text,
)
from service.resources.tags import counted, retag
from service.taxonomy.tables import categories_of
from service.web import Listed, account, etag, if_match, no_content, page, parse, path_id, query, respond, route


async def list_resources(request: Request) -> Response:
    """List resources."""
    asked = query(request, Browse)
    filters = asked.model_dump(exclude={"type"})
    async with reading() as session:
        total, rows = await actions.browse(session, account(request), types=asked.type or (), **filters)
        ids = [row.id for row in rows]
        categories, qualities = await categories_of(session, ids), await qualities_of(session, ids)
    items = [without_text(row) | known(categories.get(row.id), qualities.get(row.id)) for row in rows]
    return page([ResourceItem.model_validate(item).model_dump(exclude_unset=True) for item in items], total, asked)


async def read_resource(request: Request) -> Response:
    """Read one resource."""
    body, version = await shown(account(request).id, path_id(request, what="resource"))
    return respond(body, headers=etag(version))


async def update_resource(request: Request) -> Response:
    """Change any subset of the fields; an unchanged PUT makes no event."""
    change = await parse(request, ResourceChange)
    async with transaction() as session:
        resource = await actions.change(
            session, account(request), path_id(request, what="resource"), change.fields(), if_match(request)
        )
    return view(resource)


async def delete_resource(request: Request) -> Response:
    """Put a resource into the trash; what is derived from it is gone."""
    async with transaction() as session:
        await actions.remove(session, account(request), path_id(request, what="resource"), if_match(request))
    return no_content()


async def restore_resource(request: Request) -> Response:
    """Take a resource back from the trash, with its tags, annotations and collections."""
    async with transaction() as session:
        resource = await actions.restore(session, account(request), path_id(request, what="resource in the trash"))
    return view(resource)


async def change_tags(request: Request) -> Response:
    """Add and remove tags of a resource; nothing else of it changes."""
    asked = await parse(request, TagChange)
    resource_id, seen = path_id(request, what="resource"), if_match(request)
    async with transaction() as session:
        row = await retag(session, account(request), resource_id, asked.add, asked.remove, seen)
    return view(row)


async def change_many_tags(request: Request) -> Response:
    """Add and remove tags of many resources; each says what came of it."""
    asked = await parse(request, TagChanges)
    items: list[dict[str, Any]] = []
    async with transaction() as session:
        for id in sorted(set(asked.ids)):  # in one order, so that two such requests never wait for each other
            try:
                row = await retag(session, account(request), id, asked.add, asked.remove)
                items.append({"id": id, "tags": row["tags"]})
            except NotFound as error:
                items.append({"id": id, "error": error.detail})
    return respond({"items": items})


async def list_tags(request: Request) -> Response:
    """List the tags of what you may see, the most used first."""
    asked = query(request, TagPrefix)
    async with reading() as session:
        found = await counted(session, account(request), asked.prefix, asked.limit)
    return respond({"items": [{"tag": tag, "count": number} for tag, number in found]})


routes = [
    route("GET", "/tags", list_tags, scope="read", queries=TagPrefix, gives=TagList),
    route("POST", "/resources/tags", change_many_tags, scope="write", takes=TagChanges, gives=TaggedList),
    route("POST", "/resources/{id}/tags", change_tags, scope="write", takes=TagChange, gives=ResourceView, also=(412,)),
    route("GET", "/resources", list_resources, scope="read", queries=Browse, gives=Listed[ResourceItem]),
    route("GET", "/resources/{id}", read_resource, scope="read", gives=ResourceView),
    route("PUT", "/resources/{id}", update_resource, scope="write", takes=ResourceChange, gives=ResourceView),
    route("DELETE", "/resources/{id}", delete_resource, scope="write", status=204, also=(412,)),
    route("POST", "/resources/{id}/restore", restore_resource, scope="write", gives=ResourceView),
]
