"""Actors of the graph: citations find their items, and each item gets its importance."""

import asyncio
from uuid import UUID

from service.database import reading, transaction
from service.graph import importance, resolution
from service.graph.ranking import ranked
from service.queue import actor, in_process
from service.tasks import GRAPH

TRIES = 3  # to rank a graph that changes meanwhile; then whoever changed it asks again


@actor(GRAPH)
async def update_graph_edges(resource_id: list[UUID]) -> None:
    """Let the citations of, and to, these resources lead to their items; then rank all, once."""
    for one in resource_id:
        async with reading() as session:
            source = await resolution.source(session, one)
        named = await asyncio.to_thread(resolution.named, source)
        async with transaction() as session:
            await resolution.resolve(session, named)
    await rank()


async def rank() -> None:
    """Compute the importance of every item, where the graph is not the one that it was computed from."""
    for _ in range(TRIES):
        async with reading() as session:
            graph = await importance.drawn(session)
        if graph is None:
            return
        ranks = await in_process(ranked, len(graph.ids), graph.sources, graph.targets)
        async with transaction() as session:
            if await importance.keep_ranks(session, graph, ranks):
                return
