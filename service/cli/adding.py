"""Adding links, files and folders, and waiting until they are read."""

import re
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.api import USAGE, Trouble
from service.cli.shown import console, plain

if TYPE_CHECKING:
    from service.client import Client

LINKS = 1000  # in one request
LARGEST = 100 * 2**20  # bytes of a file
PAUSE = 0.5  # seconds between looks at what is not yet read
READABLE = {
    ".pdf", ".docx", ".md", ".markdown", ".txt", ".text", ".html", ".htm", ".xhtml", ".rst", ".tex", ".csv", ".json",
}  # fmt: skip
_LINK = re.compile(r"(?i)^https?://")


@dataclass(slots=True)
class Added:
    """What became of one thing that was to be added."""

    source: str
    id: str | None = None
    duplicate: bool = False
    status: str = "pending"
    error: str | None = None


@dataclass(slots=True)
class Things:
    """What was named on the command line, sorted."""

    links: list[str] = field(default_factory=list[str])
    files: list[Path] = field(default_factory=list[Path])
    skipped: list[tuple[Path, str]] = field(default_factory=list[tuple[Path, str]])


def sort(named: Iterable[str]) -> Things:
    """Tell links from files and folders; `-` reads a link from each line of standard input. Raises Trouble."""
    things = Things()
    for word in named:
        if word == "-":
            things.links += [line.strip() for line in sys.stdin if line.strip()]
        elif _LINK.match(word):
            things.links.append(word)
        elif (path := Path(word)).is_dir():
            found = list(_walk(path, things))
            if not found:
                raise Trouble(f"{word} holds nothing that can be read ({', '.join(sorted(READABLE))}).", USAGE)
            things.files += found
        elif path.is_file():
            if path.stat().st_size > LARGEST:
                raise Trouble(f"{word} is larger than {LARGEST >> 20} MB, which is the most that is taken.", USAGE)
            things.files.append(path)
        else:
            raise Trouble(f"{word} is no file, no folder, and no http:// or https:// address.", USAGE)
    return things


def _walk(folder: Path, things: Things) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if path.suffix.lower() not in READABLE:
            things.skipped.append((path, "not a kind that is read"))
        elif path.stat().st_size > LARGEST:
            things.skipped.append((path, f"larger than {LARGEST >> 20} MB"))
        else:
            yield path


async def add(
    pharos: "Client", things: Things, *, private: bool, collection: str | None = None
) -> AsyncGenerator[Added]:
    """Add everything, and say of each what came of it; what is refused does not stop the others."""
    for start in range(0, len(things.links), LINKS):
        urls = things.links[start : start + LINKS]
        if len(urls) == 1:
            yield await _added(urls[0], lambda url=urls[0]: _page(pharos, url, private, collection))
            continue
        answer = await pharos.resources.add_many(urls, private=private, collection_id=collection)
        for item in answer.items:
            status = "failed" if item.error else "pending"
            yield Added(item.url, str(item.id) if item.id else None, item.duplicate, status, item.error)
    for path in things.files:
        yield await _added(str(path), lambda path=path: _file(pharos, path, private, collection))


async def _page(pharos: "Client", url: str, private: bool, collection: str | None) -> tuple[str, bool]:
    found = await pharos.resources.add(url, private=private, collection_id=collection)
    return str(found.id), found.duplicate


async def _file(pharos: "Client", path: Path, private: bool, collection: str | None) -> tuple[str, bool]:
    found = await pharos.documents.upload(path, private=private)
    if collection:
        await pharos.collections.add(collection, [found.resource_id])
    return str(found.resource_id), found.duplicate


async def _added(source: str, call: Callable[[], Awaitable[tuple[str, bool]]]) -> Added:
    from service.client import Refused, Unauthorized

    try:
        id, duplicate = await call()
    except Unauthorized:
        raise
    except Refused as error:
        return Added(source, status="failed", error=str(error))
    except OSError as error:
        return Added(source, status="failed", error=f"cannot be read: {error.strerror or error}")
    return Added(source, id, duplicate)


async def wait(pharos: "Client", added: Sequence[Added]) -> None:
    """Look until each is found by its words, or failed, with a bar where a person watches."""
    import asyncio  # here: help needs none of it

    waiting = [one for one in added if one.id and one.status == "pending"]
    with bar("reading", len(waiting)) as advance:
        while waiting:
            for one in list(waiting):
                progress = await pharos.resources.status(one.id or "")
                steps = {step.name: step.state for step in progress.steps}
                if progress.status == "failed" or (progress.status, steps.get("indexed")) == ("completed",) * 2:
                    one.status = progress.status
                    reasons = [step.error for step in progress.steps if step.error]
                    one.error = reasons[-1] if reasons and one.status == "failed" else None
                    waiting.remove(one)
                    advance(f"reading {plain(one.source)[-40:]}")
            if waiting:
                await asyncio.sleep(PAUSE)


def bar(doing: str, total: int) -> AbstractContextManager[Callable[[str], None]]:
    """Show how far something is, on a terminal alone."""
    if not console(errors=True).is_terminal:
        return _nothing()
    return _drawn(doing, total)


@contextmanager
def _nothing() -> Generator[Callable[[str], None]]:
    yield lambda _: None


@contextmanager
def _drawn(doing: str, total: int) -> Generator[Callable[[str], None]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(errors=True), transient=True) as progress:
        task = progress.add_task(doing, total=total)
        yield lambda words: progress.update(task, description=words, advance=1)
