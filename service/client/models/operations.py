"""Tasks, dead letters, events, and how the server is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from .base import Model

TaskState = Literal["scheduled", "queued", "running", "retrying", "succeeded", "failed", "cancelled"]
Reason = Literal["permanent", "exhausted", "poison", "unknown_task"]


class Task(Model):
    """How far a task is; `priority` runs from 0 to 9, the most urgent."""

    task_id: UUID | str
    name: str | None = None
    queue: str
    priority: int
    status: TaskState
    attempts: int
    queued_at: datetime | None = None
    started_at: datetime | None = None
    date_done: datetime | None = None
    progress: Mapping[str, Any] | None = None
    result: Any = None
    error: str | None = None
    traceback: str | None = None


class Letter(Model):
    """A dead letter: a task that failed for good."""

    id: UUID
    task_id: str
    name: str
    queue: str
    arguments: Mapping[str, Any]
    exception: str
    traceback: str | None = None
    attempts: int
    reason: Reason
    failed_at: datetime


class RefusedLetter(Model):
    """A letter that could not be tried again, and why."""

    id: UUID
    detail: str


class Retried(Model):
    """How many letters are tried again; `examples` are the first of those that were refused."""

    retried: int
    refused: int
    examples: Sequence[RefusedLetter]


class Discarded(Model):
    """How many letters were given up."""

    discarded: int


class Event(Model):
    """Something that happened; `cause` is the event that it followed from."""

    id: UUID
    name: str
    version: int
    data: Mapping[str, Any]
    timestamp: datetime
    priority: int
    correlation_id: str
    cause: UUID | None = None


class History(Model):
    """The last events, newest last."""

    count: int
    events: Sequence[Event]


class Alive(Model):
    """The web server lives."""

    status: Literal["ok"]


class Readiness(Model):
    """Whether everything is there that is needed: each check with a figure, and what is wrong in words."""

    status: Literal["ready", "unavailable"]
    checks: Mapping[str, Mapping[str, Any]]
    warnings: Sequence[str]


class Worker(Model):
    """One worker process; `active` holds `task_id`, `name` and `running_s` of what it runs."""

    id: str
    host: str
    pid: int
    queues: Sequence[str]
    concurrency: int
    active: Sequence[Mapping[str, Any]]
    utilization_percent: float
    processed: int
    failed: int
    rss_mb: float
    started_at: datetime
    heartbeat_age_s: float
    tasks: Sequence[str] = Field(default=())
    load: float = 0


class Queue(Model):
    """One queue; the age is that of the task that waits longest."""

    name: str
    priority: int
    scheduled: int
    waiting: int
    running: int
    dead: int
    oldest_age_s: float
    paused: bool


class Workers(Model):
    """Every worker that lives, and every queue."""

    workers: Sequence[Worker]
    queues: Sequence[Queue]
    total_active: int
