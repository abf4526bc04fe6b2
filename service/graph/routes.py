"""HTTP for the citation graph."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from service.cache.shared import Fresh
from service.database import reading
from service.graph import actions, traversal
from service.graph.neighbours import Neighbour, neighbours
from service.graph.traversal import NODES, Graph
from service.resources.actions import read
from service.resources.states import listed, state, through
from service.web import Shape, account, path_id, query, respond, route


async def list_citations(request: Request) -> Response:
    """What a resource cites, and what cites it."""
    who = account(request)
    async with reading() as session:
        resource = await read(session, who, path_id(request, what="resource"))
        out = await actions.citations_of(session, who, resource.id)
        back = await actions.cited_by(session, who, resource.id)
    return respond({"citations": out, "cited_by": [{"id": row.id, "title": row.title} for row in back]})


class Near(Shape):
    """How many."""

    limit: int = Field(10, ge=1, le=50)


class Neighbours(BaseModel):
    """The nearest first."""

    items: list[Neighbour]


async def list_neighbours(request: Request) -> Response:
    """Return what belongs to a resource, by meaning, citations and subjects: how near, and why."""
    asked, who, resource_id = query(request, Near), account(request), path_id(request, what="resource")
    await state("resource", who.id, resource_id)

    async def compute() -> Fresh:
        async with reading() as session:
            found = await neighbours(session, who, resource_id, asked.limit)
        return await listed(who.id, {"items": [asdict(one) for one in found]}, [one.id for one in found])

    key = f"graph:{resource_id}:neighbors:{who.id}:{asked.limit}"
    return respond(await through(key, who.id, compute))


class Around(Shape):
    """From where, and how far; without a center, the most important items of all."""

    center: UUID | None = None
    depth: int = Field(1, ge=1, le=4)
    limit: int = Field(NODES, ge=1, le=NODES)


async def read_graph(request: Request) -> Response:
    """Return the graph around a resource, or of the most important ones."""
    asked, who = query(request, Around), account(request)
    async with reading() as session:
        if asked.center is None:
            graph = await traversal.most_important(session, who, asked.limit)
        else:
            center = await read(session, who, asked.center)
            graph = await traversal.around(session, who, center.id, asked.depth, asked.limit)
    return respond(graph)


class Ends(Shape):
    """Two resources."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    start: UUID = Field(alias="from")
    end: UUID = Field(alias="to")


class Path(BaseModel):
    """The nodes in their order and the edges between them; both empty where no path of that length is known."""

    found: bool
    length: int | None
    nodes: list[traversal.Node]
    edges: list[traversal.Edge]


async def read_path(request: Request) -> Response:
    """Return a shortest path between two resources, along citations in either direction."""
    asked, who = query(request, Ends), account(request)
    async with reading() as session:
        start, end = await read(session, who, asked.start), await read(session, who, asked.end)
        found = await traversal.path(session, who, start.id, end.id)
    length = None if found is None else len(found.nodes) - 1
    graph = found or Graph()
    return respond(Path(found=found is not None, length=length, nodes=graph.nodes, edges=graph.edges))


routes = [
    route("GET", "/resources/{id}/citations", list_citations, scope="read", gives=dict[str, Any]),
    route("GET", "/resources/{id}/neighbors", list_neighbours, scope="read", queries=Near, gives=Neighbours),
    route("GET", "/graph", read_graph, scope="read", queries=Around, gives=Graph),
    route("GET", "/graph/path", read_path, scope="read", queries=Ends, gives=Path),
]
