"""What was deleted, and what is there twice: `trash`, `duplicates`."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import completing, shown
from service.cli.api import USAGE, Trouble
from service.cli.asking import Id, Ids, Json, Most, Yes, asks, confirm, group, listed, words_of
from service.cli.library import each

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Trashed

app = typer.Typer()
trash = group(app, "trash", "What was deleted, until it is restored or deleted for good.")
duplicates = group(app, "duplicates", "What is in the library more than once.")

TRASHED_IDS = "Ids of what is in the trash; - reads one from each line."
TrashedIds = Annotated[list[str], typer.Argument(help=TRASHED_IDS, autocompletion=completing.trashed)]
Purged = Annotated[list[str] | None, typer.Argument(help=TRASHED_IDS, autocompletion=completing.trashed)]


def _trashed(one: "Trashed") -> tuple[object, ...]:
    return (one.id, f"deleted {one.deleted_at:%Y-%m-%d}", f"kept until {one.purged_after:%Y-%m-%d}", one.title, one.url)


@asks(trash, "list", examples=("pharos trash list", "pharos trash list --json | jq -r .id | pharos trash restore -"))
async def list_trash(pharos: "Client", limit: Most = 25, json: Json = False) -> None:
    """List what was deleted, what was deleted last first."""
    await listed(pharos.trash.list(limit=limit), _trashed, json=json)


@asks(trash, "restore", examples=("pharos trash restore 0192f0c1-...",))
async def restore_trashed(pharos: "Client", ids: TrashedIds, json: Json = False) -> None:
    """Take resources back, with what people made of them."""
    await each(words_of(ids), pharos.trash.restore, "restored", json=json)


@asks(trash, "purge", examples=("pharos trash purge 0192f0c1-...", "pharos trash purge --all --yes"))
async def purge_trashed(
    pharos: "Client",
    ids: Purged = None,
    all: Annotated[bool, typer.Option("--all", help="Whatever is yours or was deleted by you.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Delete resources in the trash for good; it cannot be undone."""
    if bool(ids) == all:
        raise Trouble("Say which: by their ids, or --all.", USAGE)
    if ids:
        named = words_of(ids)
        confirm(f"Delete {len(named)} resource{'s' if len(named) > 1 else ''} for good?", yes=yes)
        await each(named, pharos.trash.purge, "purged", json=json)
        return
    confirm("Delete for good whatever in the trash is yours or was deleted by you?", yes=yes)
    done = await pharos.trash.empty()
    if json:
        shown.as_json(done)
    else:
        shown.row(f"{done.purged} purged")


@asks(duplicates, "list", examples=("pharos duplicates list", "pharos duplicates list --json | jq '[.items[].id]'"))
async def list_duplicates(pharos: "Client", limit: Most = 25, json: Json = False) -> None:
    """List what is there more than once, a group at a time, the oldest of each first; with --json a line for each."""
    async for one in pharos.duplicates.list(limit=limit):
        if json:
            shown.json_line(one)
            continue
        shown.say(f"same: {', '.join(one.reasons)}", "bold")
        for item in one.items:
            shown.row(item.id, item.title, item.url)


@asks(duplicates, "merge", examples=("pharos duplicates merge 0192f0c1-... 0192f0c2-...",))
async def merge_duplicates(pharos: "Client", id: Id, others: Ids, yes: Yes = False, json: Json = False) -> None:
    """Give the first resource what people made of the others, and put those into the trash."""
    named = words_of(others)
    confirm(f"Merge {len(named)} resource{'s' if len(named) > 1 else ''} into {id}?", yes=yes)
    kept = await pharos.duplicates.merge(id, named)
    if json:
        shown.as_json(kept)
    else:
        shown.row(kept.id, f"{len(named)} merged", kept.title)


@asks(duplicates, "separate", examples=("pharos duplicates separate 0192f0c1-... 0192f0c2-...",))
async def separate_duplicates(pharos: "Client", ids: Ids, json: Json = False) -> None:
    """Say that no two of these are duplicates; they are not listed to you as such again."""
    named = words_of(ids)
    made = await pharos.duplicates.separate(named)
    if json:
        shown.as_json(made)
    else:
        shown.row(made.id, f"{len(named)} are no duplicates")


@asks(duplicates, "separations")
async def list_separations(pharos: "Client", limit: Most = 25, json: Json = False) -> None:
    """List what you said are no duplicates, said last first."""
    found = pharos.duplicates.separations(limit=limit)
    await listed(found, lambda one: (one.id, *(item.title for item in one.items)), json=json)


@asks(duplicates, "rejoin")
async def rejoin_duplicates(
    pharos: "Client", id: Annotated[str, typer.Argument(help="The id of what you said.")]
) -> None:
    """Undo it: they may be duplicates after all."""
    await pharos.duplicates.rejoin(id)
