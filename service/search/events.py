"""What happens to the index and the embeddings of a resource, and in search."""

from uuid import UUID

from pydantic import Field

from service.events import Event, EventPriority, SystemEvent


class SearchIndexUpdated(Event):
    """The words of a resource are findable in their present form, or what facets count of it has changed."""

    name = SystemEvent.SEARCH_INDEX_UPDATED
    resource_id: UUID


class SearchIndexStale(Event):
    """The reconciler, or a person, wants a resource indexed again."""

    name = SystemEvent.SEARCH_INDEX_STALE
    priority = EventPriority.LOW
    resource_id: UUID


class EmbeddingGenerated(Event):
    """The passages of a resource are findable by meaning."""

    name = SystemEvent.EMBEDDING_GENERATED
    resource_id: UUID
    model: str
    chunks: int
    truncated: bool  # only the first part of a very long text is embedded
    collection_ids: list[UUID] = Field(default_factory=list[UUID])  # those that all who hear of this may see


class EmbeddingStale(Event):
    """The reconciler, or a person, wants a resource embedded again."""

    name = SystemEvent.EMBEDDING_STALE
    priority = EventPriority.LOW
    resource_id: UUID


class SearchExecuted(Event):
    """Somebody searched."""

    name = SystemEvent.SEARCH_EXECUTED
    priority = EventPriority.LOW
    query: str
    mode: str
    results_count: int
    latency_ms: float
