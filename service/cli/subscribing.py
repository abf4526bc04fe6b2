"""What comes by itself, and goes: `feeds`, `webhooks`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from service.cli import completing, shown
from service.cli.api import FAILED, USAGE, Trouble
from service.cli.asking import Json, Most, asks, collection_of, group, listed
from service.cli.library import InCollection, Output, Private, write

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Delivery, Feed, Webhook

app = typer.Typer()
feeds = group(app, "feeds", "RSS and Atom feeds that you follow.")
webhooks = group(app, "webhooks", "Events for programs of your own.")

FeedId = Annotated[str, typer.Argument(help="The id of a feed.", autocompletion=completing.feeds)]
WebhookId = Annotated[str, typer.Argument(help="The id of a webhook.")]
Title = Annotated[str | None, typer.Option(help="What you call it.")]
Folder = Annotated[str | None, typer.Option(help="Where you keep it.")]


def _feed(one: "Feed") -> tuple[object, ...]:
    return (one.id, "paused" if one.paused else None, one.title, one.url, one.error)


def _tell(one: Any, line: tuple[object, ...], *, json: bool) -> None:
    if json:
        shown.as_json(one)
    else:
        shown.row(*line)


@asks(feeds, "list", examples=("pharos feeds list --failing",))
async def list_feeds(
    pharos: "Client",
    failing: Annotated[bool, typer.Option("--failing", help="Those that could not be read the last time.")] = False,
    limit: Most = None,
    json: Json = False,
) -> None:
    """List the feeds that you follow, by title."""
    await listed(pharos.feeds.list(failing=failing or None, limit=limit), _feed, json=json)


@asks(feeds, examples=("pharos feeds follow https://example.org/feed.xml --collection News",))
async def follow(
    pharos: "Client",
    url: Annotated[str, typer.Argument(help="The address of the feed.")],
    title: Title = None,
    folder: Folder = None,
    collection: InCollection = None,
    private: Private = False,
    json: Json = False,
) -> None:
    """Follow a feed: its newest entries become resources, and from then on each new one."""
    into = await collection_of(pharos, collection) if collection else None
    made = await pharos.feeds.follow(url, title=title, folder=folder, collection_id=into, private=private)
    _tell(made, _feed(made), json=json)


@asks(feeds, "edit", examples=("pharos feeds edit 0192f0c1-... --pause",))
async def edit_feed(
    pharos: "Client",
    id: FeedId,
    title: Title = None,
    folder: Folder = None,
    collection: InCollection = None,
    paused: Annotated[bool | None, typer.Option("--pause/--resume", help="Whether it is looked at.")] = None,
    json: Json = False,
) -> None:
    """Change a feed: what is named, and nothing else."""
    change: dict[str, Any] = {"title": title, "folder": folder, "paused": paused}
    change = {key: value for key, value in change.items() if value is not None}
    if collection is not None:
        change["collection_id"] = await collection_of(pharos, collection) if collection else None
    if not change:
        raise Trouble("Nothing is to be changed: say what, as --pause.", USAGE)
    found = await pharos.feeds.update(id, **change)
    _tell(found, _feed(found), json=json)


@asks(feeds)
async def leave(pharos: "Client", id: FeedId) -> None:
    """Follow a feed no more; what it brought stays."""
    await pharos.feeds.leave(id)


@asks(feeds)
async def refresh(pharos: "Client", id: FeedId, json: Json = False) -> None:
    """Look at a feed now."""
    found = await pharos.feeds.refresh(id)
    _tell(found, _feed(found), json=json)


@asks(feeds)
async def entries(pharos: "Client", id: FeedId, limit: Most = 25, json: Json = False) -> None:
    """List what was seen in a feed, the newest first."""
    found = pharos.feeds.entries(id, limit=limit)
    await listed(found, lambda one: (one.resource_id or "-", one.title, one.url, one.skipped), json=json)


@asks(feeds, "import", examples=("pharos feeds import subscriptions.opml",))
async def import_feeds(
    pharos: "Client",
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, allow_dash=True, help="An OPML list.")],
    json: Json = False,
) -> None:
    """Follow every feed of an OPML list; 1 where one cannot be followed."""
    done = await pharos.feeds.import_opml(_read(file))
    _tell(done, (f"{done.added} added", f"{done.known} were there already", f"{len(done.failed)} failed"), json=json)
    for one in done.failed:
        shown.note(f"failed   line {one.line}, {shown.plain(one.url)}: {shown.plain(one.error)}", "red")
    if done.failed:
        raise typer.Exit(FAILED)


def _read(file: Path) -> bytes:
    return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()


@asks(feeds, "export", examples=("pharos feeds export > subscriptions.opml",))
async def export_feeds(pharos: "Client", output: Output = None) -> None:
    """Write all feeds that you follow as an OPML list."""
    await write(pharos.feeds.export_opml(), output)


def _webhook(one: "Webhook") -> tuple[object, ...]:
    return (one.id, None if one.enabled else one.disabled_reason or "disabled", one.url, ",".join(one.events))


@asks(webhooks, "list")
async def list_webhooks(pharos: "Client", limit: Most = None, json: Json = False) -> None:
    """List your webhooks."""
    await listed(pharos.webhooks.list(limit=limit), _webhook, json=json)


@asks(webhooks, "add", examples=("pharos webhooks add https://example.org/hook 'resource.*' document.processed",))
async def add_webhook(
    pharos: "Client",
    url: Annotated[str, typer.Argument(help="Where the events are told.")],
    events: Annotated[list[str], typer.Argument(help="Which, as resource.created or 'resource.*'.")],
    json: Json = False,
) -> None:
    """Have events told to an address; the secret that signs them is shown this once."""
    made = await pharos.webhooks.create(url, events)
    _tell(made, (made.id, made.secret), json=json)


@asks(webhooks, "edit", examples=("pharos webhooks edit 0192f0c1-... --enable",))
async def edit_webhook(
    pharos: "Client",
    id: WebhookId,
    url: Annotated[str | None, typer.Option(help="A new address.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Which events, instead of those before.")] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Whether it is told.")] = None,
    json: Json = False,
) -> None:
    """Change a webhook: what is named, and nothing else."""
    if url is None and event is None and enabled is None:
        raise Trouble("Nothing is to be changed: say what, as --enable.", USAGE)
    found = await pharos.webhooks.update(id, url=url, events=event, enabled=enabled)
    _tell(found, _webhook(found), json=json)


@asks(webhooks, "delete")
async def delete_webhook(pharos: "Client", id: WebhookId) -> None:
    """Delete a webhook, and what is known of its deliveries."""
    await pharos.webhooks.delete(id)


@asks(webhooks, "test")
async def try_webhook(pharos: "Client", id: WebhookId, json: Json = False) -> None:
    """Send a delivery that only says that it arrives."""
    started = await pharos.webhooks.test(id)
    _tell(started, (started.delivery_id, "started"), json=json)


def _delivery(one: "Delivery") -> tuple[object, ...]:
    return (one.id, one.status, one.event, one.response_code, one.error)


@asks(webhooks)
async def deliveries(
    pharos: "Client",
    id: WebhookId,
    status: Annotated[Literal["waiting", "delivered", "failed"] | None, typer.Option(help="How they stand.")] = None,
    limit: Most = 25,
    json: Json = False,
) -> None:
    """List what a webhook was told, the newest first."""
    await listed(pharos.webhooks.deliveries(id, status=status, limit=limit), _delivery, json=json)


@asks(webhooks, "retry")
async def retry_delivery(
    pharos: "Client", id: Annotated[str, typer.Argument(help="The id of a delivery.")], json: Json = False
) -> None:
    """Send a delivery once more."""
    found = await pharos.webhooks.retry_delivery(id)
    _tell(found, _delivery(found), json=json)
