"""HTTP for the taxonomy."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.cache.cache import cache
from service.cache.shared import Fresh
from service.database import reading, transaction
from service.errors import NotFound
from service.resources.states import state
from service.taxonomy import actions, models, tree
from service.taxonomy.shapes import (
    CategoryChange,
    CategoryPage,
    CategoryView,
    Label,
    Merge,
    ModelView,
    NewCategory,
    Predictions,
    Removal,
    Tree,
    Uncertain,
)
from service.taxonomy.tables import Category
from service.web import Listed, Paged, account, encoded, no_content, page, parse, path_id, query, respond, route


def shown(category: Category) -> dict[str, Any]:
    """Return what is answered of a category."""
    return {name: getattr(category, name) for name in CategoryView.model_fields}


async def read_tree(request: Request) -> Response:
    """The tree of categories."""
    async with reading() as session:
        rows = await tree.listed(session)
    return respond({"total": len(rows), "items": tree.nested(rows)})


async def create_category(request: Request) -> Response:
    """Add a category."""
    asked = await parse(request, NewCategory)
    async with transaction() as session:
        made = await tree.add(session, account(request), asked.name, asked.parent_id, asked.description)
    return respond(shown(made), 201, {"Location": f"/taxonomy/{made.id}"})


async def read_category(request: Request) -> Response:
    """A category, what is directly below it, and how many resources are in it."""
    async with reading() as session:
        category = await tree.find(session, path_id(request, what="category"))
        below = await tree.children(session, category.id)
        number = await actions.counted(session, account(request), category.id)
    return respond(shown(category) | {"children": [shown(child) for child in below], "resource_count": number})


async def update_category(request: Request) -> Response:
    """Rename, move or describe a category; the paths of all below it follow."""
    asked = await parse(request, CategoryChange)
    async with transaction() as session:
        category = await tree.change(session, account(request), path_id(request, what="category"), asked.fields())
    return respond(shown(category))


async def delete_category(request: Request) -> Response:
    """Delete a category; the resources in it are classified anew."""
    asked = query(request, Removal)
    async with transaction() as session:
        await tree.remove(session, account(request), path_id(request, what="category"), subtree=asked.subtree)
    return no_content()


async def merge_category(request: Request) -> Response:
    """Put what is in one category into another, and delete the first."""
    asked = await parse(request, Merge)
    async with transaction() as session:
        into = await tree.merge(session, account(request), path_id(request, what="category"), asked.into)
    return respond(shown(into))


async def read_classification(request: Request) -> Response:
    """What a resource is about."""
    who, resource_id = account(request), path_id(request, what="resource")

    async def compute() -> Fresh:
        async with reading() as session:
            return Fresh(encoded(await actions.predictions(session, who, resource_id)), known)

    known = await state("classification", who.id, resource_id)
    return respond((await cache.get_or_compute(f"classification:{resource_id}", compute, stamp=known)).value)


async def label_resource(request: Request) -> Response:
    """Say what a resource is about, or that it is none of them: it outranks predictions, and later ones learn."""
    asked = await parse(request, Label)
    async with transaction() as session:
        told = await actions.label(
            session, account(request), path_id(request, what="resource"), asked.category_id, asked.path
        )
    return respond(told)


async def unlabel_resource(request: Request) -> Response:
    """Take back what was said; predictions count again."""
    async with transaction() as session:
        await actions.unlabel(session, account(request), path_id(request, what="resource"))
    return no_content()


async def review(request: Request) -> Response:
    """List resources whose classification is uncertain, the least sure first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, items = await actions.uncertain(session, account(request), asked.limit, asked.offset)
    return page(items, total, asked)


async def list_models(request: Request) -> Response:
    """List the classification models, newest first."""
    asked = query(request, Paged)
    async with reading() as session:
        total, items = await models.trained(session, asked.limit, asked.offset)
    return page(items, total, asked)


async def activate_model(request: Request) -> Response:
    """Go by another model; 0 is the one that needs no training."""
    version = request.path_params["version"]
    if not (version.isascii() and version.isdigit() and len(version) < 9):
        raise NotFound(what="model", id=version)
    async with transaction() as session:
        await models.activate(session, account(request), int(version))
    return no_content()


routes = [
    route("GET", "/taxonomy", read_tree, scope="read", gives=Tree),
    route("POST", "/taxonomy", create_category, scope="write", takes=NewCategory, gives=CategoryView, status=201),
    route("GET", "/taxonomy/review", review, scope="read", queries=Paged, gives=Listed[Uncertain]),
    route("GET", "/taxonomy/models", list_models, scope="read", queries=Paged, gives=Listed[ModelView]),
    route("POST", "/taxonomy/models/{version}/activate", activate_model, scope="admin", status=204),
    route("GET", "/taxonomy/{id}", read_category, scope="read", gives=CategoryPage),
    route("PUT", "/taxonomy/{id}", update_category, scope="write", takes=CategoryChange, gives=CategoryView),
    route("DELETE", "/taxonomy/{id}", delete_category, scope="write", queries=Removal, status=204),
    route("POST", "/taxonomy/{id}/merge", merge_category, scope="write", takes=Merge, gives=CategoryView),
    route("GET", "/resources/{id}/classification", read_classification, scope="read", gives=Predictions),
    route("PUT", "/resources/{id}/classification", label_resource, scope="write", takes=Label, gives=Predictions),
    route("DELETE", "/resources/{id}/classification", unlabel_resource, scope="write", status=204),
]
