"""What you want to read, and how far you are: `reading`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from service.cli import completing, shown
from service.cli.api import USAGE, Trouble
from service.cli.asking import Id, Ids, Json, Most, asks, group, listed, words_of
from service.cli.library import each

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Reading, ReadingItem

app = typer.Typer()
reading = group(app, "reading", "Your reading list, and how far you are.")

State = Literal["unread", "reading", "read", "archived"]
ReadIds = Annotated[
    list[str],
    typer.Argument(help="Ids of resources; - reads one from each line.", autocompletion=completing.readings),
]


def _item(one: "ReadingItem") -> tuple[object, ...]:
    return (one.resource_id, one.state, _place(one), f"{one.reading_minutes} min", one.title)


def _place(one: "Reading") -> str | None:
    return f"{one.progress:.0%}" if one.state == "reading" else None


@asks(reading, "list", examples=("pharos reading list", "pharos reading list --state unread"))
async def list_readings(
    pharos: "Client",
    state: Annotated[State | None, typer.Option(help="In this state; else all.")] = None,
    limit: Most = 25,
    json: Json = False,
) -> None:
    """List what you want to read, read and have read, what changed last first."""
    await listed(pharos.readings.list(state=[state] if state else None, limit=limit), _item, json=json)


@asks(reading, "add", examples=("pharos list --tag thesis --json | jq -r .id | pharos reading add -",))
async def add_readings(pharos: "Client", ids: Ids, json: Json = False) -> None:
    """Put resources on the list; what you have begun stays as it is."""
    named, count = words_of(ids), 0
    for start in range(0, len(named), 1000):
        count += (await pharos.readings.add(named[start : start + 1000])).count
    if json:
        shown.as_json({"count": count})
    else:
        shown.row(f"{count} on the list")


@asks(reading, "show")
async def show_reading(pharos: "Client", id: Id, json: Json = False) -> None:
    """Show how far you are with a resource."""
    _tell(await pharos.readings.get(id), json=json)


@asks(reading, "keep", examples=("pharos reading keep 0192f0c1-... --state read",))
async def keep_reading(
    pharos: "Client",
    id: Id,
    state: Annotated[State | None, typer.Option(help="What you mean to do with it, or have done.")] = None,
    progress: Annotated[float | None, typer.Option(min=0, max=1, help="Where you are: 0 its start, 1 its end.")] = None,
    json: Json = False,
) -> None:
    """Say how far you are with a resource; a place alone begins or ends a reading."""
    if state is None and progress is None:
        raise Trouble("Nothing is to be changed: say --state, --progress or both.", USAGE)
    _tell(await pharos.readings.keep(id, state=state, progress=progress), json=json)


def _tell(one: "Reading", *, json: bool) -> None:
    if json:
        shown.as_json(one)
    else:
        shown.row(one.resource_id, one.state or "not on the list", _place(one))


@asks(reading, "remove")
async def remove_readings(pharos: "Client", ids: ReadIds, json: Json = False) -> None:
    """Take resources off the list, and forget how far you were."""
    await each(words_of(ids), pharos.readings.remove, "removed", json=json)
