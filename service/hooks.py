"""THE TABLE: every task, and every event that starts one. Flow is decided here and nowhere else.

`make table` prints it; `GET /monitoring/flow` and the operations page show it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.batches.events import BatchRequested
from service.documents.events import DocumentUploaded
from service.events import Envelope, Event
from service.ingestion.events import IngestionStalled, IngestionStarted
from service.queue.requeue import Requeue, TaskRequeued
from service.queue.task import Dispatch, Queue, Task
from service.recommendations.events import InteractionTracked, ProfileStale, every_tenth
from service.resources.events import ResourceContentChanged, ResourceCreated, ResourceUpdated
from service.search.events import EmbeddingStale, SearchIndexStale

if TYPE_CHECKING:  # the timetable reads the table, and lives without the bus's database
    from service.bus import EventBus, Handler

#                     name             priority: 9 is the most urgent
URGENT = Queue("urgent", 9)
HIGH_PRIORITY = Queue("high_priority", 7)
DEFAULT = Queue("default", 5)
DOCUMENTS = Queue("documents", 5)
INDEXING = Queue("indexing", 5)
ML_TASKS = Queue("ml_tasks", 5)
QUIZZES = Queue("quizzes", 5)
BATCH = Queue("batch", 3)
QUEUES = [URGENT, HIGH_PRIORITY, DEFAULT, DOCUMENTS, INDEXING, ML_TASKS, QUIZZES, BATCH]

#                 name                         queue   retries  limit (s)  one per
INGEST = Task("ingest_resource", DOCUMENTS, 3, 300, "resource_id")
PROCESS = Task("process_document", DOCUMENTS, 3, 300, "resource_id")
INDEX = Task("update_search_index", URGENT, 3, 30, "resource_id", backoff=5)
EMBED = Task("regenerate_embedding", HIGH_PRIORITY, 3, 120, "resource_id", backoff=60)
RECONCILE = Task("reconcile_derived_data", BATCH, 1, 120)
PROCESS_BATCH = Task("batch_process_resources", BATCH, 3, 6 * 3600, "batch_id")
PROFILE = Task("refresh_recommendation_profile", BATCH, 3, 120, "user_id")
TASKS = [INGEST, PROCESS, INDEX, EMBED, RECONCILE, PROCESS_BATCH, PROFILE]
REQUEUE = Requeue({task.name: task for task in TASKS})


@dataclass(frozen=True, slots=True)
class On:
    """When `event` happens, run a task `after` seconds (at most `at_most` while more keep coming), or call a function.

    `when` filters by payload; `keys` names the payload field whose every value gets a task of its own;
    `batch` gathers up to that many keys into one task, which takes them as a list.
    """

    event: type[Event]
    run: "Task | Requeue | Handler"
    after: float = 0
    at_most: float = 0
    when: Callable[[Any], bool] | None = None
    keys: str | None = None
    batch: int = 0


# fmt: off
HOOKS = [
    #  when                     run      after (s)  at most (s)
    On(IngestionStarted,        INGEST),
    On(DocumentUploaded,        PROCESS),
    On(ResourceCreated,         INDEX,    1,           4),
    On(ResourceUpdated,         INDEX,    1,           4),
    On(ResourceContentChanged,  EMBED,    5,          30),
    On(BatchRequested,          PROCESS_BATCH),
    On(InteractionTracked,      PROFILE, 300,         900, when=every_tenth),
    On(IngestionStalled,        INGEST),     # the reconciler's: what an emptied Redis forgot
    On(SearchIndexStale,        INDEX),
    On(EmbeddingStale,          EMBED),
    On(ProfileStale,            PROFILE),
    On(TaskRequeued,            REQUEUE),    # of a dead letter
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

    def listen(self, bus: "EventBus") -> None:
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
    if task.key is None:
        return [{}]
    if row.keys is None:
        return [{task.key: str(getattr(event, task.key))}]
    return [{task.key: str(value)} for value in getattr(event, row.keys)]


TABLE = Table(HOOKS)
