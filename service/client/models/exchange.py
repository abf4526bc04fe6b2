"""What goes in and out: imports, feeds, webhooks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from .base import Model

ImportState = Literal["pending", "adding", "completed", "failed", "cancelled"]
DeliveryState = Literal["waiting", "delivered", "failed"]


class Import(Model):
    """How far an import is; `total` is known once the file is read, `merged` were there already."""

    id: UUID
    filename: str
    format: str
    state: ImportState
    total: int
    pending: int
    added: int
    merged: int
    failed: int
    error: str | None = None
    task_id: UUID | None = None
    batch_id: UUID
    created_at: datetime
    finished_at: datetime | None = None


class ImportStarted(Model):
    """The task that reads a file; `batch_id` is the id of the import."""

    task_id: UUID
    batch_id: UUID


class LeftOut(Model):
    """Something that was not imported: where it stands, why, and whether a retry tries it `again`."""

    line: int
    shown: str
    reason: str
    again: bool


class Feed(Model):
    """A feed that you follow; `error` is what went wrong the last time, `failures` how often in a row, `taken` how many
    of its entries became resources.
    """

    id: UUID
    url: str
    title: str
    site_url: str | None = None
    folder: str | None = None
    collection_id: UUID | None = None
    private: bool
    paused: bool
    interval_minutes: int
    error: str | None = None
    failures: int
    taken: int
    checked_at: datetime | None = None
    changed_at: datetime | None = None
    next_at: datetime
    created_at: datetime


class FeedEntry(Model):
    """An entry that was seen; `skipped` says why it became no resource."""

    guid: str
    title: str | None = None
    url: str | None = None
    resource_id: UUID | None = None
    skipped: str | None = None
    published_at: datetime | None = None
    seen_at: datetime


class NotFollowed(Model):
    """A feed of a list that could not be followed."""

    line: int
    url: str
    error: str


class FeedsImported(Model):
    """How many feeds of a list are followed now, how many were before, and which cannot be."""

    added: int
    known: int
    failed: Sequence[NotFollowed]


class FeedLink(Model):
    """A secret address of a feed, without the secret."""

    id: UUID
    collection_id: UUID | None = None
    saved_search_id: UUID | None = None
    created_at: datetime
    used_at: datetime | None = None


class NewFeedLink(FeedLink):
    """A new address, which is shown this once."""

    url: str


class Webhook(Model):
    """A webhook; `failures` counts attempts in a row."""

    id: UUID
    url: str
    events: Sequence[str]
    enabled: bool
    disabled_reason: str | None = None
    failures: int
    created_at: datetime
    updated_at: datetime


class NewWebhook(Webhook):
    """A new webhook with its secret, which is shown this once."""

    secret: str


class Delivery(Model):
    """An event for a webhook; code, duration and error are those of the last attempt."""

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event: str
    status: DeliveryState
    attempts: int
    response_code: int | None = None
    duration_ms: int | None = None
    error: str | None = None
    created_at: datetime
    attempted_at: datetime | None = None
    due_at: datetime | None = None


class DeliveryWithBody(Delivery):
    """A delivery with the body that is sent, as text."""

    body: str


class DeliveryStarted(Model):
    """The delivery that was asked for."""

    delivery_id: UUID
