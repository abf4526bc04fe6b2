"""The page of the graph: what lies around an item, as a picture and as a list."""

from uuid import UUID

import orjson
from markupsafe import Markup
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from service.database import reading
from service.graph.traversal import Graph, around, most_important
from service.resources.actions import read
from service.ui.pages import render
from service.web import Shape, account, query

DEPTHS = (1, 2, 3)
SHOWN = 80  # items; more is no picture


class Asked(Shape):
    """Around what, how far; without a center, the most important items."""

    center: UUID | None = None
    depth: int = Field(1, ge=DEPTHS[0], le=DEPTHS[-1])


async def graph_page(request: Request) -> Response:
    """Show what cites what, and what belongs together."""
    asked, who = query(request, Asked), account(request)
    async with reading() as session:
        center = None if asked.center is None else await read(session, who, asked.center)
        if center is None:
            graph = await most_important(session, who, SHOWN)
        else:
            graph = await around(session, who, center.id, asked.depth, SHOWN)
    return render(
        request, "graph.html", graph=graph, center=center, depth=asked.depth, depths=DEPTHS, drawing=_drawing(graph)
    )


def _drawing(graph: Graph) -> Markup:
    """Return the graph as JSON that may stand in a page; edges name their ends by place."""
    place = {node.id: number for number, node in enumerate(graph.nodes)}
    nodes = [{"id": str(one.id), "title": one.title, "depth": one.depth, "importance": one.importance or 0}
             for one in graph.nodes]  # fmt: skip
    edges = [[place[one.source], place[one.target], one.kind, one.weight] for one in graph.edges]
    return Markup(orjson.dumps({"nodes": nodes, "edges": edges}).decode().replace("<", "\\u003c"))  # noqa: S704
