"""Which resources a search is about: those that the account may see, narrowed down by what was asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

# `r` is the row of `resources`; every parameter that is null leaves its condition out.
CONDITION = """(NOT r.private OR r.owner_id = :account)
    AND r.content_hash IS NOT NULL
    AND (CAST(:types AS text[]) IS NULL OR r.type = ANY(:types))
    AND (CAST(:languages AS text[]) IS NULL OR r.language = ANY(:languages))
    AND (CAST(:subjects AS text[]) IS NULL OR r.subjects @> :subjects)
    AND (CAST(:authors AS text[]) IS NULL OR r.authors @> :authors)
    AND (CAST(:tags AS text[]) IS NULL OR r.tags @> :tags)
    AND (CAST(:categories AS text[]) IS NULL OR r.id IN (
        SELECT k.resource_id FROM categories top JOIN categories c ON c.lineage @> ARRAY[top.id]
        JOIN classifications k ON k.category_id = c.id AND k.assigned
        WHERE top.path = ANY(:categories) OR CAST(top.id AS text) = ANY(:categories)))
    AND (CAST(:collection AS uuid) IS NULL OR r.id IN (
        SELECT m.resource_id FROM collection_resources m JOIN collections c ON c.id = m.collection_id
        WHERE c.id = :collection AND (c.visibility <> 'private' OR c.owner_id = :account)))
    AND (CAST(:outside AS uuid) IS NULL OR NOT EXISTS (
        SELECT FROM collection_resources m WHERE m.collection_id = :outside AND m.resource_id = r.id))
    AND (CAST(:documents AS uuid[]) IS NULL OR r.id IN (
        SELECT o.resource_id FROM documents o WHERE o.id = ANY(:documents)))
    AND (CAST(:study_subject AS text) IS NULL OR r.id IN (
        SELECT o.resource_id FROM study_subjects s JOIN documents o ON o.subject_id = s.id
        WHERE s.owner_id = :account AND o.owner_id = :account
            AND (lower(s.name) = lower(:study_subject) OR CAST(s.id AS text) = :study_subject)))
    AND (CAST(:document_category AS text) IS NULL OR r.id IN (
        SELECT o.resource_id FROM documents o
        WHERE o.owner_id = :account AND lower(o.category) = lower(:document_category)))
    AND (CAST(:min_quality AS float8) IS NULL OR r.id IN (
        SELECT q.resource_id FROM quality q WHERE q.overall >= :min_quality))
    AND (CAST(:created_from AS timestamptz) IS NULL OR r.created_at >= :created_from)
    AND (CAST(:created_to AS timestamptz) IS NULL OR r.created_at <= :created_to)"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions besides the query: any of the types and languages, all of the subjects, authors and tags.

    Any of the categories, by path or id, with all below them. `collection` is one that holds it, as far as the account
    may see that; `outside` one that does not. `documents` are any of these; `study_subject` (an id or a name) and
    `document_category` are drawers that the account itself has put its documents into.
    """

    account: UUID
    types: list[str] | None = None
    languages: list[str] | None = None
    subjects: list[str] | None = None
    authors: list[str] | None = None
    tags: list[str] | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    categories: list[str] | None = None
    collection: UUID | None = None
    outside: UUID | None = None
    documents: list[UUID] | None = None
    study_subject: str | None = None
    document_category: str | None = None
    min_quality: float | None = None

    @property
    def narrow(self) -> bool:
        """Whether anything but the account decides."""
        return any(value is not None for name, value in self.parameters.items() if name != "account")

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of `CONDITION`."""
        return {name: getattr(self, name) for name in self.__slots__}
