"""What is kept of a deleted resource, and the statements that put it into the trash and take it back.

Every table that goes with a resource by cascade is in `KEPT` or in `DERIVED`; what only forgets the resource is in
`LINKS`. A new one has to be put into one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import ForeignKey, Table, TextClause, text

from service.annotations.tables import Annotation
from service.authors.tables import AuthorLink, AuthorReading
from service.collections.tables import CollectionResource
from service.database import Base
from service.documents.tables import Document, Passage
from service.duplicates.tables import Separated
from service.feeds.tables import FeedEntry
from service.graph.tables import Citation, GraphNode, GraphRank
from service.imports.tables import Bibliography, ImportEntry, ImportHighlight, ImportSource
from service.ingestion.tables import CitationReading, Ingestion, IngestionStep, Signature
from service.quality.tables import Quality, QualityChange, QualityReview
from service.quiz_sessions.tables import SessionQuestion
from service.quizzes.tables import Question
from service.readings.tables import Reading
from service.recommendations.tables import DismissedRecommendation, Interaction
from service.resources.tables import Resource
from service.reviews.tables import Review, ReviewCard
from service.search.tables import Chunk, Embedding, SearchDocument
from service.taxonomy.tables import Classification

_OF_RESOURCE = "k.resource_id = :id"
_OF_QUESTIONS = "k.question_id IN (SELECT q.id FROM quiz_questions q WHERE q.resource_id = :id)"


@dataclass(frozen=True)
class Kept:
    """A table of which the rows `where` are kept; `anew` are columns that come back as something else."""

    of: type[Base]
    where: str = _OF_RESOURCE
    anew: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def table(self) -> Table:
        return _table(self.of)


@dataclass(frozen=True)
class Link:
    """A column that is emptied when what it refers to is deleted, and filled again."""

    of: type[Base]
    column: str
    where: str

    @property
    def table(self) -> Table:
        return _table(self.of)

    @property
    def name(self) -> str:
        return f"{self.table.name}.{self.column}"


def _table(of: type[Base]) -> Table:
    table = of.__table__
    assert isinstance(table, Table)
    return table


_FREE = "CASE WHEN EXISTS (SELECT FROM ingestions o WHERE o.address = k.address) THEN NULL ELSE k.address END"

KEPT: Sequence[Kept] = (  # each after those that it refers to
    Kept(Resource, "k.id = :id", {"version": "k.version + 1"}),  # nothing cached of before is true of it
    Kept(Ingestion, anew={"address": _FREE, "leased_by": "NULL", "leased_until": "NULL"}),
    Kept(IngestionStep),
    Kept(Document, anew={"passages_hash": "''", "ready_hash": "NULL", "failed_hash": "NULL"}),  # passages are cut anew
    Kept(Signature),
    Kept(Citation, anew={"target_id": "NULL", "keys": "NULL"}),  # looked up anew
    Kept(CitationReading),
    Kept(Annotation),
    Kept(CollectionResource),
    Kept(Reading),
    Kept(Separated),
    Kept(Classification, f"{_OF_RESOURCE} AND NOT k.is_predicted"),
    Kept(QualityChange),
    Kept(QualityReview),
    Kept(Interaction),
    Kept(DismissedRecommendation),
    Kept(ImportSource),
    Kept(ImportHighlight),
    Kept(Bibliography),
    Kept(Question),
    Kept(SessionQuestion),
    Kept(ReviewCard, _OF_QUESTIONS),
)
DERIVED: Sequence[type[Base]] = (
    AuthorLink, AuthorReading, Chunk, Embedding, GraphNode, GraphRank, Passage, Quality, SearchDocument,
)  # fmt: skip
LINKS: Sequence[Link] = (
    Link(Resource, "duplicate_of", "k.duplicate_of = :id"),
    Link(Resource, "near_duplicate_of", "k.near_duplicate_of = :id"),
    Link(FeedEntry, "resource_id", _OF_RESOURCE),
    Link(ImportEntry, "resource_id", _OF_RESOURCE),
    Link(Review, "question_id", _OF_QUESTIONS),
)


@cache
def putting() -> TextClause:
    """Return the statement that puts the resource `:id`, locked, into the trash; `:account_id` deletes it."""
    parts = [f"'{one.table.name}', {_all('to_jsonb(k)', one.table, one.where)}" for one in KEPT]
    for link in LINKS:
        names = [*(column.name for column in link.table.primary_key), link.column]
        row = ", ".join(f"'{name}', k.{name}" for name in names)
        parts.append(f"'{link.name}', {_all(f'jsonb_build_object({row})', link.table, link.where)}")
    return text(
        f"""INSERT INTO trash (id, owner_id, private, title, url, type, address, originals, deleted_by, rows)
        SELECT r.id, r.owner_id, r.private, r.title, r.url, r.type, i.address,
            array_remove(ARRAY[i.original, (SELECT d.original FROM documents d WHERE d.resource_id = r.id)], NULL),
            :account_id, jsonb_build_object({", ".join(parts)})
        FROM resources r LEFT JOIN ingestions i ON i.resource_id = r.id WHERE r.id = :id"""  # noqa: S608
    )


def _all(row: str, table: Table, where: str) -> str:
    return f"(SELECT jsonb_agg({row}) FROM {table.name} k WHERE {where})"  # noqa: S608


# Which columns the rows of each table have that is in the document: those of the time when they were put into it.
COLUMNS = text(
    """SELECT part.key, ARRAY(SELECT jsonb_object_keys(part.value -> 0))
    FROM trash t, jsonb_each(t.rows) part WHERE t.id = :id AND jsonb_typeof(part.value) = 'array'"""
)


def taking_back(columns: Mapping[str, Sequence[str]]) -> list[TextClause]:
    """Return the statements that make rows again out of the document of `:id`, whose tables have these columns."""
    kept = [_inserting(one, columns[one.table.name]) for one in KEPT if one.table.name in columns]
    return kept + [_linking(link) for link in LINKS if link.name in columns]


def _inserting(kept: Kept, present: Sequence[str]) -> TextClause:
    """Rows whose collection, quiz or category is gone meanwhile stay away; so does what somebody made anew."""
    table = kept.table
    names = [column.name for column in table.columns if column.name in present]
    values = {name: kept.anew.get(name, f'k."{name}"') for name in names}
    needed: list[str] = []
    for key in table.foreign_keys:
        there = _there(key)
        if key.ondelete == "SET NULL":
            values[key.parent.name] = f"CASE WHEN {there} THEN {values[key.parent.name]} END"
        elif key.parent.nullable:
            needed.append(f'(k."{key.parent.name}" IS NULL OR {there})')
        else:
            needed.append(there)
    columns = ", ".join(f'"{name}"' for name in names)
    where = " AND ".join(["t.id = :id", *needed])
    return text(
        f"""INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {", ".join(values.values())}
        FROM trash t, jsonb_populate_recordset(CAST(NULL AS {table.name}), t.rows -> '{table.name}') k
        WHERE {where} ON CONFLICT DO NOTHING"""  # noqa: S608
    )


def _linking(link: Link) -> TextClause:
    name, table = link.column, link.table
    (key,) = table.columns[name].foreign_keys
    same = " AND ".join(f"o.{column.name} = k.{column.name}" for column in table.primary_key)
    return text(
        f"""UPDATE {table.name} o SET {name} = k.{name}
        FROM trash t, jsonb_populate_recordset(CAST(NULL AS {table.name}), t.rows -> '{link.name}') k
        WHERE t.id = :id AND {same} AND o.{name} IS NULL AND {_there(key)}"""  # noqa: S608
    )


def _there(key: ForeignKey) -> str:
    """Return the condition that what a row refers to is there."""
    other = key.column
    return f"EXISTS (SELECT FROM {other.table.name} o WHERE o.{other.name} = k.{key.parent.name})"
