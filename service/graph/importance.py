"""The importance of the items, kept with the nodes and edges that it was computed from.

What is private moves nothing that others see: an edge counts between shared items, and between private ones of one
owner.
"""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import text

from service.database import ReadSession, Session
from service.graph.events import GraphStale, GraphUpdated
from service.outbox import emit

_TURN = text("SELECT pg_advisory_xact_lock(7262032)")
_GRAPH = """WITH nodes AS MATERIALIZED (
        SELECT id, private, owner_id, row_number() OVER (ORDER BY id) - 1 AS place
        FROM resources WHERE content_hash IS NOT NULL
    ),
    edges AS MATERIALIZED (
        SELECT DISTINCT s.place << 32 | t.place AS edge
        FROM citations c JOIN nodes s ON s.id = c.resource_id JOIN nodes t ON t.id = c.target_id
        WHERE s.id <> t.id AND s.private = t.private AND (NOT s.private OR s.owner_id = t.owner_id)
    ),
    counted AS (SELECT count(*) AS nodes, count(*) FILTER (WHERE NOT private) AS shared,
        coalesce(sum(uuid_hash_extended(id, 1)), 0) AS sum FROM nodes),
    drawn AS (SELECT count(*) AS edges,
        coalesce(sum(hashint8extended(edge, 2)), 0) AS sum FROM edges),  -- places are those of the nodes above
    hashed AS (SELECT concat_ws(' ', 'pagerank/1', nodes, counted.sum, edges, drawn.sum) AS input_hash, shared
        FROM counted, drawn)"""
# The ranks belong to this graph, and none of them was lost.
_RANKED = """EXISTS (SELECT FROM graph_rankings k WHERE k.input_hash = hashed.input_hash)
        AND (SELECT count(*) FROM graph_ranks JOIN nodes ON id = resource_id) = (SELECT count(*) FROM nodes)"""
_READ = text(
    f"""{_GRAPH}
    SELECT input_hash, shared, ARRAY(SELECT id FROM nodes ORDER BY place) AS ids,
        ARRAY(SELECT edge FROM edges ORDER BY edge) AS edges
    FROM hashed
    WHERE NOT ({_RANKED})"""  # noqa: S608
)
_CHECK = text(f"{_GRAPH} SELECT input_hash FROM hashed")  # noqa: S608
_KNOWN = text(f"{_GRAPH} SELECT {_RANKED} FROM hashed")  # noqa: S608
_ADD = text(
    """INSERT INTO graph_ranks (resource_id, importance)
    SELECT r.id, given.importance
    FROM unnest(CAST(:ids AS uuid[]), CAST(:ranks AS float8[])) AS given(id, importance)
    JOIN resources r ON r.id = given.id
    WHERE NOT EXISTS (SELECT FROM graph_ranks k WHERE k.resource_id = r.id)
    FOR KEY SHARE OF r"""
)
_SET = text(
    """UPDATE graph_ranks k SET importance = given.importance
    FROM unnest(CAST(:ids AS uuid[]), CAST(:ranks AS float8[])) AS given(id, importance)
    WHERE k.resource_id = given.id AND k.importance <> given.importance"""
)
_REMEMBER = text(
    """INSERT INTO graph_rankings (id, input_hash) VALUES (1, :input_hash)
    ON CONFLICT (id) DO UPDATE SET input_hash = excluded.input_hash, computed_at = clock_timestamp()"""
)
_ANY = text(
    """SELECT id, CASE WHEN private THEN owner_id END AS audience FROM resources
    WHERE content_hash IS NOT NULL ORDER BY private, created_at LIMIT 1"""
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The whole graph: ids of its nodes, and its edges as int64 of their places."""

    input_hash: str
    shared: int
    ids: list[UUID]
    sources: bytes
    targets: bytes


async def drawn(session: ReadSession) -> Drawn | None:
    """Read the graph; None where its ranks are known."""
    row = (await session.execute(_READ)).one_or_none()
    if row is None:
        return None
    edges = np.array(row.edges, np.int64)
    return Drawn(row.input_hash, row.shared, row.ids, (edges >> 32).tobytes(), (edges & 0xFFFFFFFF).tobytes())


async def keep_ranks(session: Session, drawn: Drawn, ranks: list[float]) -> bool:
    """Store the importance of each node; False where the graph is another one by now."""
    await session.execute(_TURN)
    if await session.scalar(_CHECK) != drawn.input_hash:
        return False
    values = {"ids": drawn.ids, "ranks": ranks}
    await session.execute(_SET, values)
    await session.execute(_ADD, values)
    await session.execute(_REMEMBER, {"input_hash": drawn.input_hash})
    emit(session, GraphUpdated(nodes=drawn.shared), audience=None)
    return True


async def announce_old(session: Session) -> bool:
    """Ask for new ranks where those that are kept belong to another graph; tells whether that was so."""
    if await session.scalar(_KNOWN) or (row := (await session.execute(_ANY)).one_or_none()) is None:
        return False
    emit(session, GraphStale(resource_id=row.id), audience=row.audience)
    return True
