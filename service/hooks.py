"""THE TABLE: what every event starts. Flow is decided here and nowhere else.

`make table` prints it; `GET /monitoring/flow` and the operations page show it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from service.annotations.events import AnnotationCreated, AnnotationsStale
from service.authors.events import AuthorsStale
from service.batches.events import BatchRequested
from service.bus import EventBus, Handler
from service.cache.events import WarmingRequested
from service.cache.forgetting import FORGETS, forget_told
from service.collections.events import (
    CollectionResourceAdded,
    CollectionResourceRemoved,
    CollectionStale,
    CollectionUpdated,
)
from service.digests.events import DigestDue
from service.documents.events import DocumentProcessed, DocumentUploaded, IndexingStale
from service.documents.listening import drop_originals, note_failure, reindex_changed_text, settle_embedded
from service.duplicates.events import ResourceMerged
from service.events import Envelope, Event
from service.exports.events import ResourcesExported
from service.feeds.events import FeedDue
from service.graph.events import GraphStale
from service.imports.events import ImportRequested, ImportStalled
from service.imports.listening import place_highlights
from service.ingestion.events import (
    AuthorsExtracted,
    CitationsExtracted,
    CitationsStale,
    IngestionCompleted,
    IngestionStalled,
    IngestionStarted,
)
from service.monitoring.events import ScheduleRunRequested
from service.notifications.kinds import CAUSES
from service.notifications.listening import notify
from service.quality.events import QualityComputed, QualityStale
from service.queue.events import BackgroundTaskFailed
from service.queue.requeue import Requeue, TaskRequeued
from service.queue.task import Dispatch, Task
from service.quizzes.events import QuizReplacementRequested, QuizRequested, QuizStalled
from service.quizzes.listening import record_end
from service.recommendations.events import InteractionTracked, ProfileStale, every_tenth
from service.recommendations.listening import record_annotation, record_collection_add, record_export
from service.resources.events import (
    ResourceContentChanged,
    ResourceCreated,
    ResourceDeleted,
    ResourceIdentified,
    ResourceMetadataChanged,
    ResourceRestored,
    ResourceUpdated,
)
from service.reviews.events import ReviewsDue
from service.search.events import EmbeddingGenerated, EmbeddingStale, SearchIndexStale
from service.settings import settings
from service.tasks import (
    ANCHOR,
    AUTHORS,
    CITE,
    CLASSIFY,
    DELIVER,
    DIGEST,
    EMBED,
    GENERATE,
    GRAPH,
    IMPORT,
    INDEX,
    INDEX_DOCUMENT,
    INGEST,
    INVALIDATE,
    LABEL,
    LOOK_UP,
    MEAN,
    PERIODIC,
    POLL,
    PROCESS,
    PROCESS_BATCH,
    PROFILE,
    QUALITY,
    RECENTER,
    REPLACE,
    REQUEUE,
    WARM,
)
from service.taxonomy.events import ClassificationStale, ResourceClassified, TaxonomyChanged, TaxonomyStale
from service.trash.events import ResourcesPurged
from service.webhooks.events import WebhookChanged, WebhookDeliveryRequested
from service.webhooks.listening import offer, renew


@dataclass(frozen=True, slots=True)
class On:
    """When `event` happens, run a task `after` seconds (at most `at_most` while more keep coming), or call a function.

    `when` filters by payload; `keys` names the payload field whose every value gets a task of its own;
    `batch` gathers up to that many keys into one task, which takes them as a list. `passes` names a payload field that
    the task takes besides its key.
    """

    event: type[Event]
    run: Task | Requeue | Handler
    after: float = 0
    at_most: float = 0
    when: Callable[[Any], bool] | None = None
    keys: str | None = None
    batch: int = 0
    passes: str | None = None

    @property
    def when_said(self) -> str:
        """The name of the event; `*` where it is any."""
        return "*" if self.event is Event else self.event.name.value


def changes(field: str) -> Callable[[Any], bool]:
    """Return the condition that an event names `field` among the changed ones."""
    return lambda event: field in event.changed_fields


def asks_for(task: Task) -> Callable[[Any], bool]:
    """Return the condition that somebody wants a task of the timetable to run now."""
    return lambda event: event.schedule == task.name


def names_differ(event: ResourceUpdated) -> bool:
    """Tell whether something changed by which citations find an item, or who may see it."""
    return not {"title", "url", "canonical_url", "type", "subjects", "private", "content", "identifiers"}.isdisjoint(
        event.changed_fields
    )


def authors_differ(event: ResourceMetadataChanged) -> bool:
    """Tell whether something changed that says who wrote a resource, or who may see it."""
    return not {"authors", "subjects", "private"}.isdisjoint(event.changed_fields)


def given(event: ResourceCreated) -> bool:
    """Tell whether somebody gave the text, and no page or file was read for it."""
    return event.source == "content"


def rewritten(event: ResourceUpdated) -> bool:
    """Tell whether somebody wrote another text; one that was read again brings its HTML along."""
    return "content" in event.changed_fields and "content_html" not in event.changed_fields


def may_ask(event: ResourceIdentified) -> bool:
    """Tell whether registers of papers may be asked at all."""
    return settings().metadata_lookup


# fmt: off
HOOKS = [
    #  when                     run      after (s)  at most (s)
    On(IngestionStarted,        INGEST),
    On(DocumentUploaded,        PROCESS),
    On(DocumentProcessed,       INDEX_DOCUMENT),
    On(ResourceContentChanged,  reindex_changed_text),
    On(EmbeddingGenerated,      settle_embedded),
    On(BackgroundTaskFailed,    note_failure),
    On(ResourcesPurged,         drop_originals),
    On(ResourceCreated,         INDEX,    1,           4),
    On(ResourceUpdated,         INDEX,    1,           4),
    On(ResourceContentChanged,  EMBED,    5,          30),
    On(ResourceMetadataChanged, QUALITY, 10,          60),
    On(ResourceCreated,         QUALITY, 10,          60),
    On(ResourceContentChanged,  QUALITY, 10,          60),
    On(EmbeddingGenerated,      QUALITY, 10,          60),   # what is near to it is known
    On(CitationsExtracted,      QUALITY, 10,          60),   # also where a text that is read again cites something else
    On(ResourceCreated,         CLASSIFY, 20,         60),
    On(ResourceContentChanged,  CLASSIFY, 20,         60),
    On(EmbeddingGenerated,      CLASSIFY, 20,         60),  # it needs one: retries would be spent on a slow model
    On(ResourceClassified,      LABEL,    1,           4),  # categories and quality are facets
    On(QualityComputed,         LABEL,    1,          10),
    On(ResourceMerged,          LABEL,    1,           4),
    On(TaxonomyChanged,         MEAN,     2,          30, batch=500),
    On(TaxonomyStale,           MEAN,                 batch=500),
    On(ClassificationStale,     CLASSIFY),
    On(ResourceContentChanged,  ANCHOR,   2,          10),
    On(ResourceMerged,          ANCHOR,   2,          10),   # they were marked in another text
    On(ResourceCreated,         CITE,     2,          10, when=given),
    On(ResourceUpdated,         CITE,     2,          10, when=rewritten),
    On(CitationsStale,          CITE),
    On(CitationsExtracted,      GRAPH,   30,         120, batch=500),
    On(ResourceCreated,         GRAPH,   30,         120, batch=500),
    On(ResourceUpdated,         GRAPH,   30,         120, batch=500, when=names_differ),
    On(ResourceDeleted,         GRAPH,   30,         120, batch=500),
    On(AuthorsExtracted,        AUTHORS, 60,        300),
    On(ResourceCreated,         AUTHORS, 60,        300),
    On(ResourceMetadataChanged, AUTHORS, 60,        300, when=authors_differ),
    On(BatchRequested,          PROCESS_BATCH),
    On(ImportRequested,         IMPORT),
    On(ImportStalled,           IMPORT),
    On(IngestionCompleted,      place_highlights),
    On(ResourceIdentified,      LOOK_UP,  5,          30, when=may_ask),
    On(QuizRequested,           GENERATE),
    On(QuizStalled,             GENERATE),
    On(QuizReplacementRequested, REPLACE),
    On(BackgroundTaskFailed,    record_end),
    On(AnnotationCreated,       record_annotation),
    On(CollectionResourceAdded, record_collection_add),
    On(ResourcesExported,       record_export),
    On(InteractionTracked,      PROFILE, 300,         900, when=every_tenth),
    On(IngestionStalled,        INGEST),     # the reconciler's: what an emptied Redis forgot
    On(IndexingStale,           INDEX_DOCUMENT),
    On(SearchIndexStale,        INDEX),
    On(EmbeddingStale,          EMBED),
    On(QualityStale,            QUALITY),
    On(ResourceDeleted,         RECENTER, 5,          30, keys="collection_ids"),  # read before the cascade
    On(ResourceRestored,        RECENTER, 5,          30, keys="collection_ids"),
    On(ResourceMerged,          RECENTER, 5,          30, keys="collection_ids"),
    On(EmbeddingGenerated,      RECENTER, 5,          30, keys="collection_ids"),
    On(CollectionResourceAdded, RECENTER, 5,          30),
    On(CollectionResourceRemoved, RECENTER, 5,        30),
    On(CollectionUpdated,       RECENTER, 5,          30, when=changes("visibility")),
    On(CollectionStale,         RECENTER, 5,          30),
    On(AnnotationsStale,        ANCHOR),
    On(GraphStale,              GRAPH,   30,         120, batch=500),
    On(AuthorsStale,            AUTHORS),
    On(ProfileStale,            PROFILE),
    On(TaskRequeued,            REQUEUE),    # of a dead letter
    On(ReviewsDue,              notify),
    *(On(ScheduleRunRequested,  task, when=asks_for(task)) for task in PERIODIC),  # besides the timetable's own runs
    *(On(Event.registry[name],  notify) for name in CAUSES if name != ReviewsDue.name),
    On(Event,                   offer),      # to webhooks
    On(WebhookChanged,          renew),
    On(WebhookDeliveryRequested, DELIVER),
    On(FeedDue,                 POLL),
    On(DigestDue,               DIGEST),
    On(ResourceUpdated,         INVALIDATE),
    On(ResourceDeleted,         INVALIDATE),
    On(WarmingRequested,        WARM,  passes="prefixes"),
    *[On(event, forget_told) for event in FORGETS],  # once more, should the process that wrote it be gone
]
# fmt: on


class Table:
    """The rows of `HOOKS`, by event: routes envelopes to tasks, registers functions with a bus."""

    def __init__(self, rows: Iterable[On]) -> None:
        self.rows = list(rows)
        self._tasks: dict[type[Event], list[On]] = {}
        for row in self.rows:
            if isinstance(row.run, Task | Requeue):
                self._tasks.setdefault(row.event, []).append(row)

    def listen(self, bus: EventBus) -> None:
        """Register the functions among the rows."""
        for row in self.rows:
            if not isinstance(row.run, Task | Requeue):
                bus.on(row.event, row.run)

    def route(self, envelope: Envelope) -> Iterator[Dispatch]:
        """Yield the tasks that an event asks for."""
        event = envelope.event
        for row in self._tasks.get(type(event), ()):
            if row.when is not None and not row.when(event):
                continue
            if isinstance(row.run, Requeue):
                assert isinstance(event, TaskRequeued)
                yield row.run.dispatch(event, envelope.id, bulk=envelope.bulk, correlation_id=envelope.correlation_id)
                continue
            assert isinstance(row.run, Task)
            for arguments in _arguments(row, row.run, event):
                yield Dispatch(
                    row.run,
                    arguments,
                    envelope.id,
                    row.after,
                    row.at_most,
                    envelope.bulk,
                    envelope.correlation_id,
                    row.batch,
                )


def _arguments(row: On, task: Task, event: Event) -> list[dict[str, Any]]:
    passed = {} if row.passes is None else {row.passes: getattr(event, row.passes)}
    if task.key is None:
        return [passed]
    if row.keys is None:
        return [passed | {task.key: str(getattr(event, task.key))}]
    return [passed | {task.key: str(value)} for value in getattr(event, row.keys)]


TABLE = Table(HOOKS)
