"""What is in the library: `add`, `search`, `show`, `list`, `edit`, `delete`, `watch`, `download`, `tags`, `batch`."""

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from service.cli import adding, completing, shown
from service.cli.api import FAILED, USAGE, Trouble
from service.cli.asking import Id, Ids, Json, Most, Yes, asks, collection_of, confirm, listed, words_of

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Progress, ResourceItem

app = typer.Typer()

Private = Annotated[bool, typer.Option("--private", help="For your eyes only.")]
InCollection = Annotated[
    str | None,
    typer.Option("--collection", help="A collection, by name or id.", autocompletion=completing.collections),
]
Tag = Annotated[list[str] | None, typer.Option(help="With this tag.", autocompletion=completing.tags)]
Types = Annotated[list[str] | None, typer.Option(help="As webpage, note, pdf; several mean any of them.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="A file; else standard output.")]
State = Literal["pending", "processing", "completed", "failed"]
Operation = Literal["regenerate_embeddings", "recompute_quality", "reclassify", "reindex"]


@asks(
    app,
    examples=(
        "pharos add https://example.org/ paper.pdf notes/",
        "pharos add --wait --collection Thesis https://example.org/article",
        "grep -o 'https://[^ ]*' mail.txt | pharos add -",
    ),
)
async def add(
    pharos: "Client",
    things: Annotated[
        list[str], typer.Argument(help="Addresses, files, folders; - reads addresses from standard input.")
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when all of it can be found; 1 where some of it failed.")
    ] = False,
    private: Private = False,
    collection: InCollection = None,
    json: Json = False,
) -> None:
    """Add web pages, documents and folders of documents.

    Each is read after the answer: `pharos watch` tells how far it is. What is there already is not added again. What
    is refused does not stop the others, and makes the exit status 1.
    """
    sorted_things = adding.sort(things)
    for path, reason in sorted_things.skipped:
        shown.note(f"skipped {shown.plain(path)}: {reason}", "dim")
    into = await collection_of(pharos, collection) if collection else None
    added: list[adding.Added] = []
    async for one in adding.add(pharos, sorted_things, private=private, collection=into):
        added.append(one)
        if not json and not wait and one.error is None:
            shown.row(one.id, "is there already" if one.duplicate else "added", one.source)
    if wait:
        try:
            await adding.wait(pharos, added)
        finally:
            if any(one.status == "pending" and one.error is None for one in added):
                shown.note("Stopped waiting. What was added goes on being read.")
    if json:
        shown.as_json([asdict(one) for one in added])
    for one in added:
        if one.error is not None:
            shown.note(f"failed   {shown.plain(one.source)}: {shown.plain(one.error)}", "red")
        elif wait and not json:
            shown.row(one.id, one.status, one.source)
    if any(one.error is not None for one in added):
        raise typer.Exit(FAILED)


@asks(app, examples=("pharos sample --wait", "pharos sample --remove"))
async def sample(
    pharos: "Client",
    remove: Annotated[bool, typer.Option("--remove", help="Delete it again, with all that came of it.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when all of it can be found; 1 where some of it failed.")
    ] = False,
    json: Json = False,
) -> None:
    """Add ten short texts to try everything with, for your eyes only."""
    if remove:
        removed = await pharos.sample.remove()
        if json:
            shown.as_json(removed.model_dump(mode="json"))
        else:
            shown.row(f"{removed.removed} texts of the sample set are deleted.")
        return
    answer = await pharos.sample.load()
    added = [adding.Added(one.filename, str(one.id), one.duplicate) for one in answer.items]
    if wait:
        await adding.wait(pharos, added)
    if json:
        shown.as_json(answer.model_dump(mode="json"))
    for one in added:
        if one.error is not None:
            shown.note(f"failed   {shown.plain(one.source)}: {shown.plain(one.error)}", "red")
        elif not json:
            said = one.status if wait else "is there already" if one.duplicate else "added"
            shown.row(one.id, said, one.source)
    if any(one.error is not None for one in added):
        raise typer.Exit(FAILED)


@asks(
    app,
    examples=(
        "pharos search tides moon",
        "pharos search '\"neap tide\" OR ebb -river' --mode keyword --tag sea",
        "pharos search tides --json | jq -r '.items[].url'",
    ),
)
async def search(
    pharos: "Client",
    query: Annotated[list[str], typer.Argument(help='Words, "phrases", AND OR NOT, -word, begin*.')],
    mode: Annotated[
        Literal["hybrid", "keyword", "semantic"], typer.Option(help="By words and meaning, or one of them.")
    ] = "hybrid",
    type: Types = None,
    language: Annotated[list[str] | None, typer.Option(help="As en; several mean any of them.")] = None,
    author: Annotated[list[str] | None, typer.Option(help="By this author.")] = None,
    tag: Tag = None,
    collection: InCollection = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
    offset: Annotated[int, typer.Option(min=0, max=10_000, help="Leave out the first ones.")] = 0,
    json: Json = False,
) -> None:
    """Search by words, by meaning, or both.

    A query that begins with - needs -- before it. With --json: one document, as `GET /search` answers.
    """
    answer = await pharos.search.page(
        " ".join(query), mode=mode, type=type, language=language, author=author, tag=tag, limit=limit, offset=offset,
        collection=await collection_of(pharos, collection) if collection else None,
    )  # fmt: skip
    if json:
        shown.as_json(answer)
    else:
        shown.results(answer)


@asks(app, "list", examples=("pharos list --tag sea --limit 20", "pharos list --status failed --json | jq -r .id"))
async def list_(
    pharos: "Client",
    q: Annotated[str | None, typer.Option("--title", help="With this in the title.")] = None,
    type: Types = None,
    tag: Annotated[str | None, typer.Option(help="With this tag.", autocompletion=completing.tags)] = None,
    author: Annotated[str | None, typer.Option(help="By this author.")] = None,
    status: Annotated[State | None, typer.Option(help="How far it is.")] = None,
    collection: InCollection = None,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Else the newest.")] = False,
    limit: Most = 25,
    json: Json = False,
) -> None:
    """List resources, the newest first; with --json a line for each."""
    into = await collection_of(pharos, collection) if collection else None
    found = pharos.resources.list(
        q=q, type=type, tag=tag, author=author, status=status, collection=into, newest_first=not oldest_first,
        limit=limit,
    )  # fmt: skip
    await listed(found, _line, json=json)


def _line(one: "ResourceItem") -> tuple[object, ...]:
    return (one.id, one.status if one.status != "completed" else None, one.title, one.url)


@asks(app, examples=("pharos show 0192f0c1-... --text", "pharos show 0192f0c1-... --json | jq .tags"))
async def show(
    pharos: "Client",
    id: Id,
    text: Annotated[bool, typer.Option("--text", help="With its text.")] = False,
    json: Json = False,
) -> None:
    """Show one resource, and how far it is."""
    found, progress = await pharos.resources.get(id), await pharos.resources.status(id)
    if json:
        shown.as_json(shown.data(found) | {"steps": shown.data(progress)["steps"]})
    else:
        shown.resource(found, progress, text=text)


@asks(
    app,
    examples=(
        "pharos edit 0192f0c1-... --title 'The tides' --add-tag sea --remove-tag todo",
        "fmt notes.txt | pharos edit 0192f0c1-... --content -",
    ),
)
async def edit(
    pharos: "Client",
    id: Id,
    title: Annotated[str | None, typer.Option(help="A new title.")] = None,
    content: Annotated[str | None, typer.Option(help="A file with the new text; - is standard input.")] = None,
    description: Annotated[str | None, typer.Option(help="A new description; '' takes it away.")] = None,
    author: Annotated[list[str] | None, typer.Option(help="The authors, one each, instead of those before.")] = None,
    language: Annotated[str | None, typer.Option(help="As en or pt-BR.")] = None,
    add_tag: Annotated[list[str] | None, typer.Option(help="A tag more.", autocompletion=completing.tags)] = None,
    remove_tag: Annotated[list[str] | None, typer.Option(help="A tag less.", autocompletion=completing.tags)] = None,
    private: Annotated[bool | None, typer.Option("--private/--shared", help="Who may see it.")] = None,
    version: Annotated[int | None, typer.Option(help="Only if this is still its version.")] = None,
    json: Json = False,
) -> None:
    """Change a resource: what is named, and nothing else."""
    named: dict[str, Any] = {"title": title, "authors": author, "language": language, "private": private}
    change: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if description is not None:
        change["description"] = description or None
    if content is not None:
        change["content"] = _text(content)
    if not (change or add_tag or remove_tag):
        raise Trouble("Nothing is to be changed: say what, as --title or --add-tag.", USAGE)
    found = await pharos.resources.get(id)
    if change:
        found = await pharos.resources.update(id, version=version, **change)
    if add_tag or remove_tag:
        seen = None if change else version
        found = await pharos.resources.tag(id, add=add_tag or (), remove=remove_tag or (), version=seen)
    if json:
        shown.as_json(found)
    else:
        shown.row(found.id, f"version {found.version}", found.title)


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{file} cannot be read: {error}", USAGE) from error


@asks(
    app,
    examples=("pharos delete 0192f0c1-...", "pharos list --status failed --json | jq -r .id | pharos delete --yes -"),
)
async def delete(pharos: "Client", ids: Ids, yes: Yes = False, json: Json = False) -> None:
    """Delete resources; `pharos trash restore` takes them back."""
    named = words_of(ids)
    confirm(f"Delete {len(named)} resource{'s' if len(named) > 1 else ''}?", yes=yes)
    await each(named, pharos.resources.delete, "deleted", json=json)


async def each(ids: list[str], call: Any, done: str, *, json: bool) -> None:
    """Do one thing to each; what is refused does not stop the others."""
    from service.client import Refused, Unauthorized

    wrong = False
    for id in ids:
        try:
            await call(id)
        except Unauthorized:
            raise
        except Refused as error:
            wrong = True
            shown.note(f"failed   {shown.plain(id)}: {shown.plain(error)}", "red")
            if json:
                shown.json_line({"id": id, "status": "failed", "error": str(error)})
        else:
            if json:
                shown.json_line({"id": id, "status": done})
            else:
                shown.row(id, done)
    if wrong:
        raise typer.Exit(FAILED)


@asks(
    app,
    examples=("pharos watch 0192f0c1-...", "pharos add --json https://example.org/ | jq -r '.[].id' | pharos watch -"),
)
async def watch(pharos: "Client", ids: Ids, json: Json = False) -> None:
    """Print the steps of resources as they are taken, until each can be found or has failed; 1 where one failed."""
    import asyncio

    known: dict[str, dict[str, str]] = {id: {} for id in words_of(ids)}
    waiting, wrong = list(known), False
    while waiting:
        for id in list(waiting):
            progress = await pharos.resources.status(id)
            _tell(id, progress, known[id], json=json)
            steps = {step.name: step.state for step in progress.steps}
            if progress.status == "failed" or (progress.status, steps.get("indexed")) == ("completed",) * 2:
                waiting.remove(id)
                wrong |= progress.status == "failed"
        if waiting:
            await asyncio.sleep(adding.PAUSE)
    if wrong:
        raise typer.Exit(FAILED)


def _tell(id: str, progress: "Progress", known: dict[str, str], *, json: bool) -> None:
    for step in progress.steps:
        if known.get(step.name) != step.state and step.state != "pending":
            known[step.name] = step.state
            if json:
                shown.json_line({"id": id, **shown.data(step)})
            else:
                shown.row(id, step.name, step.state, step.error)


@asks(app, examples=("pharos download 0192f0c1-... -o paper.pdf", "pharos download 0192f0c1-... | pdftotext - -"))
async def download(
    pharos: "Client", id: Annotated[str, typer.Argument(help="The id of a document.")], output: Output = None
) -> None:
    """Write a document as it was uploaded."""
    await write(pharos.documents.download(id), output)


async def write(pieces: AsyncGenerator[bytes], output: Path | None) -> None:
    """Write what comes into a file, which is there when it is whole, or to standard output."""
    if output is None:
        async with aclosing(pieces):
            async for piece in pieces:
                sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as file:
            async for piece in pieces:
                file.write(piece)
        part.replace(output)
    except OSError as error:
        raise Trouble(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


@asks(app, examples=("pharos tags", "pharos tags phys --json | jq -r .tag"))
async def tags(
    pharos: "Client",
    prefix: Annotated[str, typer.Argument(help="How they begin.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many.")] = 25,
    json: Json = False,
) -> None:
    """List tags, the most used first."""
    for one in (await pharos.resources.tags(prefix, limit=limit)).items:
        if json:
            shown.json_line(one)
        else:
            shown.row(f"{one.count:>6}", one.tag)


@asks(app, examples=("pharos similar 0192f0c1-...",))
async def similar(
    pharos: "Client",
    id: Id,
    limit: Annotated[int, typer.Option(min=1, max=50, help="At most so many.")] = 10,
    json: Json = False,
) -> None:
    """List what is nearest to a resource in meaning."""
    for one in (await pharos.resources.similar(id, limit=limit)).items:
        if json:
            shown.json_line(one)
        else:
            shown.row(one.id, f"{one.score:.2f}", one.title)


@asks(
    app,
    examples=(
        "pharos batch reindex 0192f0c1-... 0192f0c2-...",
        "pharos list --tag sea --limit 10000 --json | jq -r .id | pharos batch recompute_quality --wait -",
    ),
)
async def batch(
    pharos: "Client",
    operation: Annotated[Operation, typer.Argument(help="What is to be done to them.")],
    ids: Ids,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has ended; 1 where it failed.")] = False,
    json: Json = False,
) -> None:
    """Do one thing to many resources, at most ten thousand; `pharos tasks show` tells how far it is."""
    started = await pharos.batches.start(operation, words_of(ids))
    task = await pharos.tasks.wait(started.task_id) if wait else None
    if json:
        shown.as_json(task or started)
    else:
        shown.row(started.task_id, task.status if task else "started", task.result if task else None)
    if task and task.status != "succeeded":
        raise typer.Exit(FAILED)
