"""Libraries of other programs in, the library out: `import`, `imports`, `export`."""

import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import typer

from service.cli import completing, shown, transfer
from service.cli.api import FAILED, USAGE, Trouble
from service.cli.asking import Json, Most, asks, collection_of, group, listed
from service.cli.library import InCollection, Output, Private, write

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Import

app = typer.Typer()
imports = group(app, "imports", "Imports, and what they left out.")

ImportId = Annotated[str, typer.Argument(help="The id of an import.", autocompletion=completing.imports)]
Wait = Annotated[bool, typer.Option("--wait", help="Return when it has ended; 1 where some was left out.")]
ExportFormat = Literal[
    "json", "csv", "csl", "bibtex", "ris", "netscape", "opml", "markdown", "pocket_csv", "wallabag", "linkwarden",
    "karakeep", "zotero_rdf",
]  # fmt: skip


@asks(
    app,
    "import",
    examples=(
        "pharos import bookmarks.html",
        "pharos import zotero.rdf --tag thesis --collection Thesis --private --wait",
        "pharos import papers/ more-papers.zip",
        "curl -s https://example.org/list.opml | pharos import - --format opml",
    ),
)
async def bring_in(
    pharos: "Client",
    files: Annotated[
        list[str], typer.Argument(help="Exports of other programs; folders and ZIPs of files; - is standard input.")
    ],
    format: Annotated[str, typer.Option(help="Of the files; auto tells it by what is in them.")] = "auto",
    tag: Annotated[
        list[str] | None, typer.Option(help="For all of it, at most three.", autocompletion=completing.tags)
    ] = None,
    collection: InCollection = None,
    private: Private = False,
    wait: Wait = False,
    json: Json = False,
) -> None:
    """Import bookmarks, reading lists and bibliographies, or a folder or ZIP of files.

    What is there already is not added again, so that a command that was interrupted is simply given once more. What a
    file holds and cannot be imported: `pharos imports errors`.
    """
    answers: list[Any] = []
    wrong = False
    into = await collection_of(pharos, collection) if collection else None
    for word in files:
        file = Path(word)
        if _holds_files(word):
            added = [one async for one in transfer.add_files(pharos, file, private=private, collection=into)]
            wrong |= any(one.error is not None for one in added)
            answers += [asdict(one) for one in added]
            for one in added:
                if one.error is not None:
                    shown.note(f"failed   {shown.plain(one.source)}: {shown.plain(one.error)}", "red")
            if not json:
                again = sum(one.duplicate for one in added)
                shown.row(f"{len(added)} files", f"{again} were there already" if again else None, file)
            continue
        with _opened(word) as opened:
            started = await pharos.imports.start(
                opened, filename="standard input" if word == "-" else file.name, format=format, tags=tag or (),
                collection_id=into, private=private,
            )  # fmt: skip
        found = await (pharos.imports.wait if wait else pharos.imports.get)(started.batch_id)
        wrong |= found.state == "failed" or (wait and found.failed > 0)
        answers.append(found)
        if not json:
            shown.row(*_line(found))
    if json:
        shown.as_json(answers)
    if wrong:
        raise typer.Exit(FAILED)


def _holds_files(word: str) -> bool:
    """Tell a folder or a ZIP from the file of another program; raises Trouble for what is neither."""
    file = Path(word)
    if word != "-" and not file.exists():
        raise Trouble(f"{word} is no file and no folder.", USAGE)
    return word != "-" and (file.is_dir() or file.suffix.lower() == ".zip")


@contextmanager
def _opened(word: str) -> Generator[IO[bytes]]:
    """Open a file; standard input is read to its end first, so that it can be sent again."""
    try:
        if word != "-":
            with Path(word).open("rb") as file:
                yield file
            return
        with tempfile.TemporaryFile() as kept:
            while piece := sys.stdin.buffer.read(2**20):
                kept.write(piece)
            kept.seek(0)
            yield kept
    except OSError as error:
        raise Trouble(f"{word} cannot be read: {error.strerror or error}", USAGE) from error


def _line(one: "Import") -> tuple[object, ...]:
    counts = ", ".join(f"{getattr(one, name)} {name}" for name in ("added", "merged", "failed"))
    return (one.id, one.state, counts, one.filename, one.error)


@asks(imports, "list")
async def list_imports(pharos: "Client", limit: Most = 25, json: Json = False) -> None:
    """List imports, the newest first."""
    await listed(pharos.imports.list(limit=limit), _line, json=json)


@asks(imports, "show")
async def show_import(pharos: "Client", id: ImportId, wait: Wait = False, json: Json = False) -> None:
    """Show how far an import is."""
    found = await (pharos.imports.wait if wait else pharos.imports.get)(id)
    if json:
        shown.as_json(found)
    else:
        shown.facts(found)
    if found.state == "failed" or (wait and found.failed):
        raise typer.Exit(FAILED)


@asks(
    imports, examples=("pharos imports errors 0192f0c1-...", "pharos imports errors 0192f0c1-... --csv > left-out.csv")
)
async def errors(
    pharos: "Client",
    id: ImportId,
    csv: Annotated[bool, typer.Option("--csv", help="As a CSV file.")] = False,
    limit: Most = None,
    json: Json = False,
) -> None:
    """List what an import left out: the line of the file, what stands there, and why."""
    if csv:
        await write(pharos.imports.errors_csv(id), None)
        return
    found = pharos.imports.errors(id, limit=limit)
    await listed(found, lambda one: (f"line {one.line}", one.shown, one.reason), json=json)


@asks(imports)
async def retry(pharos: "Client", id: ImportId, json: Json = False) -> None:
    """Try again what failed, or go on with an import that was cancelled."""
    started = await pharos.imports.retry(id)
    if json:
        shown.as_json(started)
    else:
        shown.row(started.batch_id, "started")


@asks(imports)
async def cancel(pharos: "Client", id: ImportId, json: Json = False) -> None:
    """Stop an import; what is in the library stays there."""
    found = await pharos.imports.cancel(id)
    if json:
        shown.as_json(found)
    else:
        shown.row(*_line(found))


@asks(imports)
async def forget(pharos: "Client", id: ImportId) -> None:
    """Forget an import that has ended; what it added stays."""
    await pharos.imports.delete(id)


@asks(
    app,
    "export",
    examples=(
        "pharos export > library.json",
        "pharos export --format bibtex --collection Thesis -o thesis.bib",
        "pharos export --format markdown -o library.zip",
    ),
)
async def take_out(
    pharos: "Client",
    format: Annotated[ExportFormat, typer.Option(help="Markdown is a ZIP, a file for each.")] = "json",
    text: Annotated[bool, typer.Option("--text", help="With texts, in JSON.")] = False,
    collection: InCollection = None,
    id: Annotated[
        list[str] | None, typer.Option(help="A resource; else everything.", autocompletion=completing.resources)
    ] = None,
    output: Output = None,
) -> None:
    """Write the library, as far as you may see it, in a format of other programs."""
    into = await collection_of(pharos, collection) if collection else None
    await write(pharos.export(format, text=text, collection=into, id=id), output)
