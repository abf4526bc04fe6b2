"""What people put together and wrote down: `collections`, `annotations`, `searches`."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from service.cli import completing, shown
from service.cli.api import USAGE, Trouble
from service.cli.asking import Id, Ids, Json, Most, Yes, asks, collection_of, confirm, group, listed, words_of
from service.cli.library import Output, write

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Annotation, Collection

app = typer.Typer()
collections = group(app, "collections", "Resources put together.")
annotations = group(app, "annotations", "Passages that you marked, and notes.")
searches = group(app, "searches", "Searches that are kept.")

Named = Annotated[
    str,
    typer.Argument(help="A collection, by name or id.", autocompletion=completing.collections, metavar="COLLECTION"),
]
Parent = Annotated[
    str | None, typer.Option(help="The collection that it is in.", autocompletion=completing.collections)
]
Visibility = Annotated[
    Literal["private", "shared", "public"] | None, typer.Option(help="Who may see it: you, all who are here, all.")
]
Description = Annotated[str | None, typer.Option(help="What is in it.")]
AnnotationId = Annotated[str, typer.Argument(help="The id of an annotation.")]
Note = Annotated[str | None, typer.Option(help="What you say about it.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Its tags.")]
Colour = Annotated[Literal["yellow", "green", "blue", "pink", "purple", "orange"] | None, typer.Option()]


def _collection(one: "Collection") -> tuple[object, ...]:
    return (one.id, one.visibility, f"{one.resource_count} resources", one.name)


def _tell(one: Any, line: tuple[object, ...], *, json: bool) -> None:
    if json:
        shown.as_json(one)
    else:
        shown.row(*line)


@asks(collections, "list", examples=("pharos collections list", "pharos collections list --json | jq -r .name"))
async def list_collections(
    pharos: "Client",
    q: Annotated[str | None, typer.Option("--name", help="With this in the name.")] = None,
    own: Annotated[bool, typer.Option("--own", help="Yours alone.")] = False,
    limit: Most = None,
    json: Json = False,
) -> None:
    """List your collections and those that others share."""
    await listed(pharos.collections.list(q=q, own=own or None, limit=limit), _collection, json=json)


@asks(collections, "show", examples=("pharos collections show Thesis",))
async def show_collection(pharos: "Client", collection: Named, limit: Most = None, json: Json = False) -> None:
    """Show a collection and what is in it; with --json one document, its resources under `items`."""
    id = await collection_of(pharos, collection)
    found = await pharos.collections.get(id)
    items = [one async for one in pharos.collections.resources(id, limit=limit)]
    if json:
        shown.as_json(shown.data(found) | {"items": shown.data(items)})
        return
    shown.facts(found)
    for one in items:
        shown.row(one.id, one.title)


@asks(collections, "create", examples=("pharos collections create Thesis --description 'What I cite'",))
async def create_collection(
    pharos: "Client",
    name: Annotated[str, typer.Argument(help="Its name.")],
    description: Description = None,
    visibility: Visibility = None,
    parent: Parent = None,
    json: Json = False,
) -> None:
    """Make a collection; it is private unless said otherwise."""
    inside = await collection_of(pharos, parent) if parent else None
    made = await pharos.collections.create(name, description=description, visibility=visibility, parent_id=inside)
    _tell(made, _collection(made), json=json)


@asks(collections, "edit", examples=("pharos collections edit Thesis --visibility shared",))
async def edit_collection(
    pharos: "Client",
    collection: Named,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    description: Description = None,
    visibility: Visibility = None,
    parent: Parent = None,
    json: Json = False,
) -> None:
    """Change a collection: what is named, and nothing else."""
    change: dict[str, Any] = {"name": name, "description": description, "visibility": visibility}
    change = {key: value for key, value in change.items() if value is not None}
    if parent is not None:
        change["parent_id"] = await collection_of(pharos, parent) if parent else None
    if not change:
        raise Trouble("Nothing is to be changed: say what, as --name.", USAGE)
    found = await pharos.collections.update(await collection_of(pharos, collection), **change)
    _tell(found, _collection(found), json=json)


@asks(collections, "delete")
async def delete_collection(pharos: "Client", collection: Named, yes: Yes = False) -> None:
    """Delete a collection, not what is in it."""
    id = await collection_of(pharos, collection)
    confirm(f"Delete the collection {collection}?", yes=yes)
    await pharos.collections.delete(id)


@asks(
    collections,
    "add",
    examples=(
        "pharos collections add Thesis 0192f0c1-...",
        "pharos search tides --json | jq -r '.items[].id' | pharos collections add Thesis -",
    ),
)
async def add_to_collection(pharos: "Client", collection: Named, ids: Ids, json: Json = False) -> None:
    """Put resources into a collection."""
    id, named = await collection_of(pharos, collection), words_of(ids)
    count, added = 0, list[Any]()
    for start in range(0, len(named), 1000):
        answer = await pharos.collections.add(id, named[start : start + 1000])
        count, added = answer.resource_count, [*added, *answer.added]
    whole = {"added": [str(one) for one in added], "resource_count": count}
    _tell(whole, (f"{len(added)} added", f"{count} resources are in it"), json=json)


@asks(collections, "remove", examples=("pharos collections remove Thesis 0192f0c1-...",))
async def remove_from_collection(pharos: "Client", collection: Named, ids: Ids) -> None:
    """Take resources out of a collection."""
    id = await collection_of(pharos, collection)
    for one in words_of(ids):
        await pharos.collections.remove(id, one)


def _annotation(one: "Annotation") -> tuple[object, ...]:
    return (one.id, one.resource_id, one.quote, one.note)


@asks(
    annotations,
    "list",
    examples=("pharos annotations list --resource 0192f0c1-...", "pharos annotations list --tag todo"),
)
async def list_annotations(
    pharos: "Client",
    resource: Annotated[str | None, typer.Option(help="Of this one.", autocompletion=completing.resources)] = None,
    tag: Annotated[str | None, typer.Option(help="With this tag.")] = None,
    q: Annotated[str | None, typer.Option("--text", help="With this in the quote or the note.")] = None,
    limit: Most = None,
    json: Json = False,
) -> None:
    """List your annotations."""
    found = pharos.annotations.list(resource_id=resource, tag=tag, q=q, limit=limit)
    await listed(found, _annotation, json=json)


@asks(annotations, "add", examples=("pharos annotations add 0192f0c1-... 'the moon pulls the sea' --note 'see ch. 2'",))
async def add_annotation(
    pharos: "Client",
    id: Id,
    quote: Annotated[str, typer.Argument(help="What is to be marked, as it stands in the text.")],
    note: Note = None,
    tag: Tags = None,
    colour: Colour = None,
    json: Json = False,
) -> None:
    """Mark a passage of a resource: the first place where the quote stands."""
    text = (await pharos.resources.get(id)).content
    start = text.find(quote)
    if start < 0 or not quote:
        raise Trouble(f"This does not stand in the text of {id}: {quote}")
    made = await pharos.annotations.create(
        id, start, start + len(quote), quote=quote, note=note, tags=tag, colour=colour
    )
    _tell(made, _annotation(made), json=json)


@asks(annotations, "edit")
async def edit_annotation(
    pharos: "Client", id: AnnotationId, note: Note = None, tag: Tags = None, colour: Colour = None, json: Json = False
) -> None:
    """Change the note, the tags or the colour."""
    change: dict[str, Any] = {"note": note, "tags": tag, "colour": colour}
    change = {key: value for key, value in change.items() if value is not None}
    if not change:
        raise Trouble("Nothing is to be changed: say what, as --note.", USAGE)
    found = await pharos.annotations.update(id, **change)
    _tell(found, _annotation(found), json=json)


@asks(annotations, "delete")
async def delete_annotation(pharos: "Client", id: AnnotationId) -> None:
    """Delete an annotation."""
    await pharos.annotations.delete(id)


@asks(annotations, "export", examples=("pharos annotations export > notes.md",))
async def export_annotations(
    pharos: "Client",
    format: Annotated[Literal["markdown", "json"], typer.Option()] = "markdown",
    resource: Annotated[str | None, typer.Option(help="Of this one.", autocompletion=completing.resources)] = None,
    output: Output = None,
) -> None:
    """Write your annotations, resource by resource."""
    await write(pharos.annotations.export(format=format, resource_id=resource), output)


@asks(searches, "list")
async def list_searches(pharos: "Client", json: Json = False) -> None:
    """List the searches that you saved."""
    for one in (await pharos.saved_searches.list()).items:
        if json:
            shown.json_line(one)
        else:
            shown.row(one.id, one.name, one.search.get("query"))


@asks(searches, "save", examples=("pharos searches save 'New on tides' tides moon --tag sea",))
async def save_search(
    pharos: "Client",
    name: Annotated[str, typer.Argument(help="Its name.")],
    query: Annotated[list[str], typer.Argument(help="As `pharos search` takes it.")],
    mode: Annotated[Literal["hybrid", "keyword", "semantic"], typer.Option()] = "hybrid",
    tag: Tags = None,
    json: Json = False,
) -> None:
    """Save a search under a name."""
    made = await pharos.saved_searches.create(name, {"query": " ".join(query), "mode": mode, "tag": tag})
    _tell(made, (made.id, made.name), json=json)


@asks(searches, "run")
async def run_search(
    pharos: "Client",
    id: Annotated[str, typer.Argument(help="The id of a saved search.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
    json: Json = False,
) -> None:
    """Run a saved search."""
    answer = await pharos.saved_searches.results(id, limit=limit)
    if json:
        shown.as_json(answer)
    else:
        shown.results(answer)


@asks(searches, "delete")
async def delete_search(pharos: "Client", id: Annotated[str, typer.Argument(help="The id of a saved search.")]) -> None:
    """Delete a saved search."""
    await pharos.saved_searches.delete(id)
