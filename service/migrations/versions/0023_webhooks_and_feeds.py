"""Who is told of events and what became of that; feeds that people follow, and secret addresses of ours."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def _time(name: str, now: bool = False, nullable: bool = True) -> sa.Column[Any]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _created(name: str = "created_at") -> sa.Column[Any]:
    return _time(name, now=True, nullable=False)


def _text(name: str, nullable: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=nullable)


def _id(name: str = "id", nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), server_default="0", nullable=False)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default="false", nullable=False)


def _to(table: str, column: str, target: str, gone: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=gone)


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def upgrade() -> None:
    op.create_table(
        "webhooks",
        _id(),
        _id("user_id"),
        _text("url"),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        _number("failures"),
        _time("enabled_at", now=True),
        _text("disabled_reason", nullable=True),
        _created(),
        _created("updated_at"),
        _to("webhooks", "user_id", "users"),
        _key("webhooks", "id"),
    )
    op.create_index("ix_webhooks_user_id", "webhooks", ["user_id"])
    op.create_table(
        "webhook_secrets",
        _id("webhook_id"),
        _text("secret"),
        _to("webhook_secrets", "webhook_id", "webhooks"),
        _key("webhook_secrets", "webhook_id"),
    )
    op.create_table(
        "webhook_deliveries",
        _id(),
        _id("webhook_id"),
        _id("event_id"),
        _text("event"),
        _text("body"),
        _text("status", default="waiting"),
        _number("attempts"),
        sa.Column("response_code", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        _text("error", nullable=True),
        _created(),
        _created("due_at"),
        _time("attempted_at"),
        sa.CheckConstraint(
            "status IN ('waiting', 'delivered', 'failed')", name=op.f("ck_webhook_deliveries_status")
        ),
        _to("webhook_deliveries", "webhook_id", "webhooks"),
        _key("webhook_deliveries", "id"),
        _unique("webhook_deliveries", "webhook_id", "event_id"),
    )
    op.create_index(
        "ix_webhook_deliveries_webhook_id_created_at", "webhook_deliveries", ["webhook_id", "created_at", "id"]
    )
    op.create_index(
        "ix_webhook_deliveries_due_at",
        "webhook_deliveries",
        ["due_at"],
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index("ix_webhook_deliveries_created_at", "webhook_deliveries", ["created_at"])
    op.create_table(
        "feeds",
        _id(),
        _id("user_id"),
        _id("collection_id", nullable=True),
        _text("url"),
        _text("canonical_url"),
        _text("host"),
        _text("given_title", nullable=True),
        _text("read_title", nullable=True),
        _text("site_url", nullable=True),
        _text("folder", nullable=True),
        _flag("private"),
        _flag("paused"),
        sa.Column("interval", sa.Integer(), nullable=False),
        _text("etag", nullable=True),
        _text("last_modified", nullable=True),
        _number("polls"),
        _number("failures"),
        _text("error", nullable=True),
        _time("checked_at"),
        _time("changed_at"),
        _created("next_at"),
        _created(),
        _to("feeds", "user_id", "users"),
        _to("feeds", "collection_id", "collections", "SET NULL"),
        _key("feeds", "id"),
        _unique("feeds", "user_id", "canonical_url"),
    )
    op.create_index("ix_feeds_next_at", "feeds", ["next_at"])
    op.create_index("ix_feeds_host_next_at", "feeds", ["host", "next_at"])
    op.create_index("ix_feeds_collection_id", "feeds", ["collection_id"])
    op.create_table(
        "feed_entries",
        _id("feed_id"),
        _text("guid"),
        _text("canonical_url", nullable=True),
        _id("resource_id", nullable=True),
        _text("title", nullable=True),
        _text("url", nullable=True),
        _text("skipped", nullable=True),
        _time("published_at"),
        _created("seen_at"),
        _to("feed_entries", "feed_id", "feeds"),
        _to("feed_entries", "resource_id", "resources", "SET NULL"),
        _key("feed_entries", "feed_id", "guid"),
        _unique("feed_entries", "feed_id", "canonical_url"),
    )
    op.create_index("ix_feed_entries_feed_id_seen_at", "feed_entries", ["feed_id", "seen_at"])
    op.create_index("ix_feed_entries_resource_id", "feed_entries", ["resource_id"])
    op.create_table("feed_hosts", _text("host"), _time("not_before", nullable=False), _key("feed_hosts", "host"))
    op.create_table(
        "feed_links",
        _id(),
        _id("user_id"),
        _id("collection_id", nullable=True),
        _id("saved_search_id", nullable=True),
        _text("key"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        _created(),
        _time("used_at"),
        sa.CheckConstraint(
            "(collection_id IS NULL) <> (saved_search_id IS NULL)", name=op.f("ck_feed_links_target")
        ),
        _to("feed_links", "user_id", "users"),
        _to("feed_links", "collection_id", "collections"),
        _to("feed_links", "saved_search_id", "saved_searches"),
        _key("feed_links", "id"),
        _unique("feed_links", "key"),
    )
    for column in ("user_id", "collection_id", "saved_search_id"):
        op.create_index(f"ix_feed_links_{column}", "feed_links", [column])


def downgrade() -> None:
    for table in (
        "feed_links", "feed_hosts", "feed_entries", "feeds", "webhook_deliveries", "webhook_secrets", "webhooks",
    ):
        op.drop_table(table)
