"""Verbs of search: index and embed a resource, tell whether that is done, see to it that it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.collections.concerned import concerned
from service.database import ReadSession, Session
from service.inference import MODEL, TEXT_LIMIT, Embedded
from service.outbox import emit
from service.queue.task import Dispatch
from service.resources.tables import Resource
from service.search.events import EmbeddingGenerated, EmbeddingStale, SearchIndexStale, SearchIndexUpdated
from service.search.inputs import EMBEDDING_INPUT, INDEX_INPUT, LABELS_INPUT
from service.search.labels import LABELS, label
from service.search.languages import CONFIGURATIONS, SIMPLE, guess
from service.search.query import BLANKS, BREAKS
from service.search.terms import WEIGHING
from service.search.turns import Step, take_turn
from service.search.vectors import to_text
from service.tasks import EMBED, INDEX

_FIELDS = {  # weight and text of each part of the index
    "A": "r.title",
    "B": "array_to_string(r.authors || r.subjects || r.tags, ' ')",
    "C": "r.description",
    "D": "left(r.content, :most)",
}
_TSV = " || ".join(
    f"setweight(to_tsvector(configuration::regconfig, translate(coalesce({field}, ''), :breaks, :blanks)), '{weight}')"
    for weight, field in _FIELDS.items()
)
_WORDS = "translate({}, :breaks, :blanks)".format(
    " || ' ' || ".join(f"coalesce({one}, '')" for one in _FIELDS.values())
)
_INDEX = text(
    f"""WITH source AS (
        SELECT r.*, {INDEX_INPUT} AS input_hash,
            CASE WHEN r.language IS NULL THEN coalesce({guess("r.title || ' ' || r.content")}, :simple) ELSE
                coalesce(CAST(:configurations AS jsonb) ->> lower(split_part(r.language, '-', 1)), :simple)
            END AS configuration
        FROM resources r WHERE r.id = :id AND r.content_hash IS NOT NULL FOR KEY SHARE
    ),
    fresh AS MATERIALIZED (
        SELECT r.id AS resource_id, configuration, input_hash, {_TSV} AS tsv,
            char_length(r.content) > :most AS truncated, {LABELS} AS labels, {LABELS_INPUT} AS labels_hash
        FROM source r
        WHERE NOT EXISTS (SELECT FROM search_documents d WHERE d.resource_id = r.id AND d.input_hash = r.input_hash)
    ),{WEIGHING},
    words AS (
        INSERT INTO search_words (word, term_id, magnitude)
        SELECT word, known.id, known.magnitude
        FROM fresh JOIN source r ON r.id = resource_id,
            unnest(tsvector_to_array(to_tsvector('simple', {_WORDS}))) AS written(word),
            LATERAL (SELECT (tsvector_to_array(to_tsvector(fresh.configuration::regconfig, word)))[1] AS lexeme) term
            JOIN known USING (lexeme)
        WHERE word ~ '^[[:alpha:]]{{3,40}}$' AND NOT EXISTS (SELECT FROM search_words w WHERE w.word = written.word)
        ORDER BY word ON CONFLICT DO NOTHING
    ),
    written AS (
        INSERT INTO search_documents AS d
            (resource_id, configuration, input_hash, tsv, weights, length, labels, labels_hash, truncated,
                indexed_at)
        SELECT resource_id, configuration, input_hash, tsv, weights, length, labels, labels_hash, truncated,
            clock_timestamp()
        FROM fresh, weighted
        ON CONFLICT (resource_id) DO UPDATE SET input_hash = excluded.input_hash,
            configuration = excluded.configuration, tsv = excluded.tsv, weights = excluded.weights,
            length = excluded.length, labels = excluded.labels, labels_hash = excluded.labels_hash,
            truncated = excluded.truncated, indexed_at = excluded.indexed_at
        RETURNING resource_id
    )
    SELECT CASE WHEN private THEN owner_id END AS audience FROM source JOIN written ON resource_id = id"""  # noqa: S608
)
_TOO_MUCH = "54000"  # program_limit_exceeded: a tsvector holds a megabyte of different words

_WHOLE = "e.chunk_count = (SELECT count(*) FROM chunks c WHERE c.resource_id = r.id)"  # none was lost
_DRAFT = text(
    f"""SELECT r.title, left(r.content, {TEXT_LIMIT + 1}) AS content, {EMBEDDING_INPUT} AS input_hash
    FROM resources r
    WHERE r.id = :id AND r.content_hash IS NOT NULL AND NOT EXISTS (
        SELECT FROM embeddings e WHERE e.resource_id = r.id AND e.input_hash = {EMBEDDING_INPUT} AND {_WHOLE}
    )"""  # noqa: S608
)
_STILL = text(
    f"""SELECT CASE WHEN r.private THEN r.owner_id END AS audience FROM resources r
    WHERE r.id = :id AND r.content_hash IS NOT NULL AND {EMBEDDING_INPUT} = :input_hash FOR KEY SHARE"""  # noqa: S608
)
_FORGET_CHUNKS = text("DELETE FROM chunks WHERE resource_id = :id")
_ADD_CHUNKS = text(
    """INSERT INTO chunks (resource_id, ordinal, start, "end", text, embedding)
    SELECT :id, chunk.ordinal, chunk.start, chunk.stop, chunk.text, CAST(chunk.vector AS halfvec)
    FROM unnest(CAST(:ordinals AS int[]), CAST(:starts AS int[]), CAST(:stops AS int[]),
                CAST(:texts AS text[]), CAST(:vectors AS text[])) AS chunk(ordinal, start, stop, text, vector)"""
)
_PUT_EMBEDDING = text(
    """INSERT INTO embeddings (resource_id, input_hash, model, mean, chunk_count, truncated, computed_at)
    VALUES (:id, :input_hash, :model, CAST(:mean AS vector), :chunk_count, :truncated, clock_timestamp())
    ON CONFLICT (resource_id) DO UPDATE SET input_hash = excluded.input_hash, model = excluded.model,
        mean = excluded.mean, chunk_count = excluded.chunk_count, truncated = excluded.truncated,
        computed_at = excluded.computed_at"""
)

_STEPS = text(
    f"""SELECT d.input_hash = {INDEX_INPUT} AS indexed, d.indexed_at,
        e.input_hash = {EMBEDDING_INPUT} AS embedded, e.computed_at
    FROM resources r
    LEFT JOIN search_documents d ON d.resource_id = r.id
    LEFT JOIN embeddings e ON e.resource_id = r.id
    WHERE r.id = :id"""  # noqa: S608
)
# What failed for good with the present text is not tried again until somebody changes or asks for it.
_STALE = text(
    f"""SELECT r.id, CASE WHEN r.private THEN r.owner_id END AS audience, indexed, embedded
    FROM resources r
    LEFT JOIN search_documents d ON d.resource_id = r.id
    LEFT JOIN embeddings e ON e.resource_id = r.id
    CROSS JOIN LATERAL (
        SELECT coalesce(d.input_hash = {INDEX_INPUT} AND d.labels_hash = {LABELS_INPUT}, false) OR EXISTS (
            SELECT FROM dead_letters l WHERE l.name = :index AND l.failed_at > r.updated_at
                AND l.arguments ->> 'resource_id' = CAST(r.id AS text)) AS indexed,
            coalesce(e.input_hash = {EMBEDDING_INPUT} AND {_WHOLE}, false) OR EXISTS (
            SELECT FROM dead_letters l WHERE l.name = :embed AND l.failed_at > r.updated_at
                AND l.arguments ->> 'resource_id' = CAST(r.id AS text)) AS embedded
    ) state
    WHERE r.content_hash IS NOT NULL AND r.updated_at < now() - make_interval(secs => :age)
        AND NOT (indexed AND embedded)
    ORDER BY r.updated_at LIMIT :most"""  # noqa: S608
)
_FORGET = {
    "indexed": text("UPDATE search_documents SET input_hash = '' WHERE resource_id = :id"),
    "embedded": text("UPDATE embeddings SET input_hash = '' WHERE resource_id = :id"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A text to be embedded, and the hash of what it was."""

    resource_id: UUID
    title: str
    content: str
    input_hash: str


async def index(session: Session, resource_id: UUID) -> bool:
    """Make the words of a resource findable; False where there is nothing to do, or no such resource any more.

    Where its words are, what facets count of it may still have changed.

    Of a text with more than a megabyte of different words, the first half (or quarter, ...) is indexed.
    """
    await take_turn(session, "indexed", resource_id)
    parameters: dict[str, Any] = {
        "id": resource_id,
        "configurations": orjson.dumps(CONFIGURATIONS).decode(),
        "simple": SIMPLE,
        "breaks": BREAKS,
        "blanks": BLANKS,
    }
    most = TEXT_LIMIT
    while True:
        try:
            async with session.begin_nested():
                row = (await session.execute(_INDEX, parameters | {"most": most})).one_or_none()
            break
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _TOO_MUCH:
                raise
            most //= 2
    if row is None:
        return await label(session, resource_id)
    emit(session, SearchIndexUpdated(resource_id=resource_id), audience=row.audience)
    return True


async def drafted(session: ReadSession, resource_id: UUID) -> Draft | None:
    """Read what is to be embedded; None where that is done, or there is no such resource any more."""
    row = (await session.execute(_DRAFT, {"id": resource_id})).one_or_none()
    if row is None:
        return None
    return Draft(resource_id, row.title, row.content, row.input_hash)


async def keep_embedding(session: Session, draft: Draft, embedded: Embedded) -> bool:
    """Replace the passages of a resource; False where it was changed or deleted since the draft was read."""
    id = draft.resource_id
    await take_turn(session, "embedded", id)
    row = (await session.execute(_STILL, {"id": id, "input_hash": draft.input_hash})).one_or_none()
    if row is None:
        return False
    passages = embedded.passages
    await session.execute(_FORGET_CHUNKS, {"id": id})
    await session.execute(
        _ADD_CHUNKS,
        {
            "id": id,
            "ordinals": [passage.ordinal for passage in passages],
            "starts": [passage.start for passage in passages],
            "stops": [passage.end for passage in passages],
            "texts": [passage.text for passage in passages],
            "vectors": [to_text(passage.vector) for passage in passages],
        },
    )
    await session.execute(
        _PUT_EMBEDDING,
        {
            "id": id,
            "input_hash": draft.input_hash,
            "model": MODEL,
            "mean": None if embedded.mean is None else to_text(embedded.mean),
            "chunk_count": len(passages),
            "truncated": embedded.truncated,
        },
    )
    generated = EmbeddingGenerated(
        resource_id=id,
        model=MODEL,
        chunks=len(passages),
        truncated=embedded.truncated,
        collection_ids=await concerned(session, id, row.audience),
    )
    emit(session, generated, audience=row.audience)
    return True


async def steps(session: ReadSession, resource_id: UUID) -> list[dict[str, Any]]:
    """Return how far a resource is: whether, and since when, it is found by its present words and meaning."""
    row = (await session.execute(_STEPS, {"id": resource_id})).one_or_none()
    if row is None:
        return []
    return [_step("indexed", row.indexed, row.indexed_at), _step("embedded", row.embedded, row.computed_at)]


def _step(name: str, done: bool | None, at: datetime | None) -> dict[str, Any]:
    return {
        "name": name,
        "state": "completed" if done else "pending",
        "started_at": None,
        "finished_at": at if done else None,
    }


async def announce_stale(session: Session, limit: int = 500, age: float = 120) -> dict[str, int]:
    """Ask again for what is missing or was made from something else, of resources unchanged for `age` seconds.

    Returns how many have to be indexed and embedded. Where a task still waits in the queue, the new one merges into it.
    """
    parameters = {"most": limit, "age": age, "index": INDEX.name, "embed": EMBED.name}
    counts = {"indexed": 0, "embedded": 0}
    for row in (await session.execute(_STALE, parameters)).all():
        for step, done in (("indexed", row.indexed), ("embedded", row.embedded)):
            if not done:
                counts[step] += 1
                emit(session, _stale(step, row.id), audience=row.audience)
    return counts


async def discard(session: Session, resource_id: UUID, step: Step) -> None:
    """Let one thing count as made from something else; whoever calls this makes it again."""
    await take_turn(session, step, resource_id)
    await session.execute(_FORGET[step], {"id": resource_id})


async def forget(session: Session, resource: Resource, step: Step) -> UUID:
    """Have one thing made again, whatever it was made from; until then the old one serves. Returns the task's id."""
    await discard(session, resource.id, step)
    event_id = emit(session, _stale(step, resource.id), audience=resource.audience)
    return Dispatch(STEP_TASKS[step], {"resource_id": str(resource.id)}, event_id).message_id


def _stale(step: str, resource_id: UUID) -> SearchIndexStale | EmbeddingStale:
    return SearchIndexStale(resource_id=resource_id) if step == "indexed" else EmbeddingStale(resource_id=resource_id)


STEP_TASKS = {"indexed": INDEX, "embedded": EMBED}
