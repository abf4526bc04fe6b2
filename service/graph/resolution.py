"""Citations find the items that they mean, and find them anew when items come, change and go.

Which item a citation means depends on what is in the library, never on the order in which it came: itself, if it has
the key, too; else one that the citing item's owner may see before others; then the oldest. What has no key in common
may be found by a title that is very like it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.cache import forgetting
from service.database import ReadSession, Session
from service.graph.events import CitationsResolved, GraphStale
from service.graph.keys import HEAD, Keys, of_citation, of_item, same_numbers
from service.outbox import emit

ALIKE = 0.85  # trigrams that two titles have in common; less, and it may be another work
AT_A_TIME = 1000  # citations that are looked up by one statement

# Runs follow one another, so that of an item and a citation of it that come together one sees the other.
_TURN = text("SELECT pg_advisory_xact_lock(7262031), set_config('pg_trgm.similarity_threshold', :alike, true)")

NODE_INPUT = """md5(ROW('node/1'::text, r.title, r.url, r.canonical_url, r.type, r.subjects, r.private, r.owner_id,
    r.content_hash)::text || array_to_string(r.identifiers, ' '))"""
_SOURCE = text(
    f"""SELECT r.title, r.url, r.canonical_url, r.type, r.subjects, r.identifiers, left(r.content, {HEAD}) AS head,
        {NODE_INPUT} AS input_hash, n.input_hash IS NOT DISTINCT FROM {NODE_INPUT} AS known
    FROM resources r LEFT JOIN graph_nodes n ON n.resource_id = r.id
    WHERE r.id = :id AND r.content_hash IS NOT NULL"""  # noqa: S608
)
_PENDING = text("SELECT id, kind, value FROM citations WHERE resource_id = :id AND keys IS NULL")
_PUT_NODE = text(
    f"""INSERT INTO graph_nodes AS n (resource_id, input_hash, keys, title)
    SELECT r.id, CAST(:input_hash AS text), CAST(:keys AS text[]), CAST(:title AS text) FROM resources r
    WHERE r.id = :id AND {NODE_INPUT} = :input_hash FOR KEY SHARE
    ON CONFLICT (resource_id) DO UPDATE
    SET input_hash = excluded.input_hash, keys = excluded.keys, title = excluded.title
    WHERE n.input_hash <> excluded.input_hash
    RETURNING n.resource_id"""  # noqa: S608
)
_PUT_KEYS = text(
    """UPDATE citations c SET keys = string_to_array(given.keys, E'\\n'), title = given.title
    FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:titles AS text[])) AS given(id, keys, title)
    WHERE c.id = given.id AND c.keys IS NULL RETURNING c.id"""
)
_GONE = "NOT EXISTS (SELECT FROM resources t WHERE t.id = c.target_id)"
_OWN = text(
    f"""SELECT c.id FROM citations c WHERE c.resource_id = :id AND c.keys IS NOT NULL
    AND (CAST(:all AS boolean) OR (c.target_id IS NOT NULL AND {_GONE}))"""  # noqa: S608
)
_TOWARDS = text("SELECT c.id FROM citations c WHERE c.target_id = :id")
_NAMING = text(
    """SELECT c.id FROM citations c WHERE c.keys && CAST(:keys AS text[])
    UNION SELECT c.id FROM citations c WHERE c.title % CAST(:title AS text)"""
)
_BY_KEY = text(
    """SELECT DISTINCT ON (c.id) c.id, r.id AS target_id
    FROM citations c JOIN resources s ON s.id = c.resource_id
    JOIN graph_nodes n ON n.keys && c.keys JOIN resources r ON r.id = n.resource_id
    WHERE c.id = ANY(CAST(:ids AS uuid[]))
    ORDER BY c.id, r.id <> s.id, r.private AND r.owner_id <> s.owner_id, r.created_at, r.id"""
)
_BY_TITLE = text(
    """SELECT c.id, r.id AS target_id, c.title AS named, n.title AS title
    FROM citations c JOIN resources s ON s.id = c.resource_id
    JOIN graph_nodes n ON n.title % c.title JOIN resources r ON r.id = n.resource_id
    WHERE c.id = ANY(CAST(:ids AS uuid[]))
    ORDER BY c.id, r.id <> s.id, r.private AND r.owner_id <> s.owner_id, similarity(n.title, c.title) DESC,
        r.created_at, r.id"""
)
_LEAD = text(
    """UPDATE citations c SET target_id = given.target_id
    FROM unnest(CAST(:ids AS uuid[]), CAST(:targets AS uuid[])) AS given(id, target_id)
    WHERE c.id = given.id AND c.target_id IS DISTINCT FROM given.target_id
    RETURNING c.resource_id"""
)
_RESOLVED = text(
    """SELECT s.id, CASE WHEN s.private THEN s.owner_id END AS audience, count(DISTINCT r.id) AS resolved
    FROM resources s LEFT JOIN citations c ON c.resource_id = s.id
    LEFT JOIN resources r ON r.id = c.target_id AND (NOT r.private OR (s.private AND r.owner_id = s.owner_id))
    WHERE s.id = ANY(CAST(:ids AS uuid[])) GROUP BY s.id ORDER BY s.id"""
)
_STALE = text(
    f"""SELECT DISTINCT r.id, CASE WHEN r.private THEN r.owner_id END AS audience FROM (
        (SELECT r.id FROM resources r LEFT JOIN graph_nodes n ON n.resource_id = r.id
            WHERE r.content_hash IS NOT NULL AND n.input_hash IS DISTINCT FROM {NODE_INPUT}
                AND r.updated_at < now() - make_interval(secs => :age) LIMIT :most)
        UNION ALL (SELECT resource_id FROM citations WHERE keys IS NULL LIMIT :most)
        UNION ALL (SELECT c.resource_id FROM citations c WHERE c.target_id IS NOT NULL AND {_GONE} LIMIT :most)
    ) found JOIN resources r USING (id)
    WHERE r.content_hash IS NOT NULL AND r.updated_at < now() - make_interval(secs => :age) LIMIT :most"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Source:
    """A resource, and those of its citations that were not looked up yet, as they were read."""

    id: UUID
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    input_hash: str | None = None  # None: there is no such resource any more, or it has no text yet
    known: bool = False  # as a node, by what it is now
    pending: Sequence[tuple[UUID, str, str]] = ()  # id, kind, value


@dataclass(frozen=True, slots=True)
class Named:
    """What a resource and its citations are recognised by."""

    source: Source
    node: Keys | None
    citations: dict[UUID, Keys]


async def source(session: ReadSession, resource_id: UUID) -> Source:
    """Read what the graph has to know of a resource."""
    row = (await session.execute(_SOURCE, {"id": resource_id})).mappings().one_or_none()
    if row is None:
        return Source(resource_id)
    pending = [(one.id, one.kind, one.value) for one in await session.execute(_PENDING, {"id": resource_id})]
    return Source(resource_id, dict(row), row["input_hash"], row["known"], pending)


def named(source: Source) -> Named:
    """Find the keys of a resource and its citations; thousands of entries take a second."""
    of = source.fields
    is_new = source.input_hash is not None and not source.known
    node = None
    if is_new:
        addresses = of["url"], of["canonical_url"]
        node = of_item(of["title"], addresses, of["type"], of["head"], of["subjects"], of["identifiers"])
    return Named(source, node, {id: of_citation(kind, value) for id, kind, value in source.pending})


async def resolve(session: Session, named: Named) -> int:
    """Let the citations of a resource, and those that mean it or meant it, lead to their items; returns how many moved.

    Where nothing changed since the last time, nothing is done.
    """
    await session.execute(_TURN, {"alike": str(ALIKE)})
    id, node, concerned = named.source.id, named.node, list[UUID]()
    if named.citations:
        concerned += await _ids(session, _PUT_KEYS, **_columns(named.citations))
    is_new = node is not None and bool(
        await _ids(session, _PUT_NODE, id=id, keys=node.keys, title=node.title, input_hash=named.source.input_hash)
    )
    if is_new:  # what it is about, too
        forgetting.after(session, "graph")
    concerned += await _ids(session, _OWN, id=id, all=is_new)
    if is_new and node is not None:
        keys = [key for key in node.keys if not key.startswith("subject:")]
        concerned += await _ids(session, _NAMING, keys=keys, title=node.title)
    if is_new or named.source.input_hash is None:
        concerned += await _ids(session, _TOWARDS, id=id)
    return await _lead(session, list(dict.fromkeys(concerned)))


def _columns(keys: dict[UUID, Keys]) -> dict[str, list[Any]]:
    return {
        "ids": list(keys),
        "keys": ["\n".join(one.keys) for one in keys.values()],
        "titles": [one.title for one in keys.values()],
    }


async def _ids(session: Session, statement: Any, **values: Any) -> list[UUID]:
    return [row[0] for row in await session.execute(statement, values)]


async def _lead(session: Session, citation_ids: Sequence[UUID]) -> int:
    """Find what citations mean, store it, and tell whose changed."""
    moved: set[UUID] = set()
    count = 0
    for start in range(0, len(citation_ids), AT_A_TIME):
        ids = citation_ids[start : start + AT_A_TIME]
        targets = {row.id: row.target_id for row in await session.execute(_BY_KEY, {"ids": ids})}
        others = [id for id in ids if id not in targets]
        for row in await session.execute(_BY_TITLE, {"ids": others}):
            if row.id not in targets and same_numbers(row.named, row.title):
                targets[row.id] = row.target_id
        changed = {"ids": ids, "targets": [targets.get(id) for id in ids]}
        sources = await _ids(session, _LEAD, **changed)
        moved.update(sources)
        count += len(sources)
    for row in await session.execute(_RESOLVED, {"ids": sorted(moved)}):
        emit(session, CitationsResolved(resource_id=row.id, count=row.resolved), audience=row.audience)
    return count


async def announce_stale(session: Session, limit: int = 500, age: float = 120) -> int:
    """Ask again, for resources unchanged for `age` seconds, where the graph does not know them as they are, or where a
    citation was not looked up or leads to what is gone; returns how many."""
    rows = (await session.execute(_STALE, {"most": limit, "age": age})).all()
    for row in rows:
        emit(session, GraphStale(resource_id=row.id), audience=row.audience)
    return len(rows)
