"""Walking along citations, in either direction, over what the account may see, and never further than a bound."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.database import ReadSession
from service.graph.neighbours import neighbours
from service.security.accounts import Account

NODES = 200  # of an answer
SIMILAR = 8  # neighbours of the center that are shown where nothing is cited
FURTHEST = 8  # edges of a path
VISITED = 10_000  # items that the search for a path looks at

_VISIBLE = "(NOT r.private OR r.owner_id = :account) AND r.content_hash IS NOT NULL"
_BEYOND = text(
    f"""SELECT near, r.id FROM (
        SELECT resource_id AS near, target_id AS far FROM citations
        WHERE resource_id = ANY(CAST(:ids AS uuid[])) AND target_id IS NOT NULL
        UNION SELECT target_id, resource_id FROM citations WHERE target_id = ANY(CAST(:ids AS uuid[]))
    ) edge JOIN resources r ON r.id = far LEFT JOIN graph_ranks k ON k.resource_id = r.id
    WHERE {_VISIBLE} AND NOT EXISTS (SELECT FROM unnest(CAST(:seen AS uuid[])) AS known(id) WHERE known.id = r.id)
    ORDER BY k.importance DESC NULLS LAST, r.id, near LIMIT :most"""  # noqa: S608
)
_NODES = text(
    f"""SELECT r.id, r.title, r.type, k.importance FROM resources r
    LEFT JOIN graph_ranks k ON k.resource_id = r.id
    WHERE r.id = ANY(CAST(:ids AS uuid[])) AND {_VISIBLE}"""  # noqa: S608
)
_EDGES = text(
    """SELECT DISTINCT resource_id AS source, target_id AS target FROM citations
    WHERE resource_id = ANY(CAST(:ids AS uuid[])) AND target_id = ANY(CAST(:ids AS uuid[])) AND resource_id <> target_id
    ORDER BY source, target"""
)
_FIRST = text(
    f"""SELECT r.id FROM resources r JOIN graph_ranks k ON k.resource_id = r.id WHERE {_VISIBLE}
    ORDER BY k.importance DESC, r.id LIMIT :most"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Node:
    """An item; `depth` counts the edges from the center, 0 for itself."""

    id: UUID
    title: str
    type: str
    importance: float | None
    depth: int


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` cites `target`, or both are near to each other (`similar`); `weight` is 0 to 1."""

    source: UUID
    target: UUID
    kind: str
    weight: float


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order in which they were reached, and all edges between them; `truncated` where there are more."""

    nodes: list[Node] = field(default_factory=list[Node])
    edges: list[Edge] = field(default_factory=list[Edge])
    truncated: bool = False


async def around(session: ReadSession, account: Account, center: UUID, depth: int, limit: int = NODES) -> Graph:
    """Return what lies within `depth` citations of an item, the important first, and what is near to it in meaning."""
    depths, frontier, truncated = {center: 0}, [center], False
    near = await neighbours(session, account, center, SIMILAR)
    for one in near[: max(limit - 1, 0)]:
        depths[one.id] = 1
    for level in range(1, depth + 1):
        room = limit - len(depths)
        if truncated and room <= 0:
            break
        beyond = await _beyond(session, account, frontier, depths, 4 * limit)
        reached = list(dict.fromkeys(far for _, far in beyond))
        truncated = truncated or len(reached) > room
        frontier = reached[:room] + ([one.id for one in near] if level == 1 else [])
        depths |= dict.fromkeys(reached[:room], level)
    graph = await _graph(session, account, depths)
    shown = {frozenset((edge.source, edge.target)) for edge in graph.edges}
    alike = [
        Edge(center, one.id, "similar", one.weight)
        for one in near
        if one.id in depths and frozenset((center, one.id)) not in shown
    ]
    return Graph(graph.nodes, graph.edges + alike, truncated)


async def most_important(session: ReadSession, account: Account, limit: int = NODES) -> Graph:
    """Return the most important items that the account may see, and who of them cites whom."""
    ids = [row.id for row in await session.execute(_FIRST, {"account": account.id, "most": limit + 1})]
    graph = await _graph(session, account, dict.fromkeys(ids[:limit], 0))
    return Graph(graph.nodes, graph.edges, len(ids) > limit)


async def path(session: ReadSession, account: Account, start: UUID, end: UUID) -> Graph | None:
    """Return a shortest path along citations in either direction, in its order; None where there is none that short.

    At most `FURTHEST` edges, and `VISITED` items are looked at. Of several, the one over the important items.
    """
    before: dict[UUID, UUID | None] = {start: None}
    frontier = [start]
    while end not in before and frontier and len(before) < VISITED:
        if len(_back(before, frontier[0])) > FURTHEST:
            break
        reached: list[UUID] = []
        for near, far in await _beyond(session, account, frontier, before, VISITED):
            if far not in before:
                before[far] = near
                reached.append(far)
        frontier = reached
    if end not in before:
        return None
    return await _graph(session, account, {id: place for place, id in enumerate(_back(before, end)[::-1])})


def _back(before: dict[UUID, UUID | None], end: UUID) -> list[UUID]:
    way, step = list[UUID](), end
    while True:
        way.append(step)
        previous = before[step]
        if previous is None:
            return way
        step = previous


async def _beyond(
    session: ReadSession, account: Account, frontier: list[UUID], seen: Iterable[UUID], most: int
) -> list[Any]:
    values = {"ids": frontier, "seen": list(seen), "account": account.id, "most": most}
    return [(row.near, row.id) for row in await session.execute(_BEYOND, values)]


async def _graph(session: ReadSession, account: Account, depths: dict[UUID, int]) -> Graph:
    values = {"ids": list(depths), "account": account.id}
    rows = {row.id: row for row in await session.execute(_NODES, values)}
    nodes = [
        Node(id, rows[id].title, rows[id].type, rows[id].importance, depth)
        for id, depth in depths.items()
        if id in rows
    ]
    cited = await session.execute(_EDGES, {"ids": [node.id for node in nodes]})
    return Graph(nodes, [Edge(row.source, row.target, "cites", 1.0) for row in cited])
