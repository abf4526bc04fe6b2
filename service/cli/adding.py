"""Adding links, files and folders, and waiting until they are read."""

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from service.cli.api import Api, Trouble
from service.cli.shown import err, plain

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
                raise Trouble(f"{word} holds nothing that can be read ({', '.join(sorted(READABLE))}).", 2)
            things.files += found
        elif path.is_file():
            if path.stat().st_size > LARGEST:
                raise Trouble(f"{word} is larger than {LARGEST >> 20} MB, which is the most that is taken.", 2)
            things.files.append(path)
        else:
            raise Trouble(f"{word} is no file, no folder, and no http:// or https:// address.", 2)
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


def add(api: Api, things: Things, *, private: bool) -> Iterator[Added]:
    """Add everything, and say of each what came of it; what is refused does not stop the others."""
    for start in range(0, len(things.links), LINKS):
        urls = things.links[start : start + LINKS]
        if len(urls) == 1:
            yield _added(urls[0], lambda url=urls[0]: api.post("/ingest", {"url": url, "private": private}))
            continue
        answer = api.post("/ingest", {"urls": urls, "private": private})
        for item in answer["items"]:
            failed = "failed" if item.get("error") else "pending"
            yield Added(item["url"], item.get("id"), bool(item.get("duplicate")), failed, item.get("error"))
    fields = {"private": str(private).lower()}
    for path in things.files:
        yield _added(str(path), lambda path=path: api.upload("/documents", path, fields)["items"][0])


def _added(source: str, call: Any) -> Added:
    try:
        answer = call()
    except Trouble as trouble:
        if trouble.status != 1:
            raise
        return Added(source, status="failed", error=str(trouble))
    except OSError as error:
        return Added(source, status="failed", error=f"cannot be read: {error.strerror or error}")
    return Added(source, answer.get("resource_id") or answer["id"], bool(answer.get("duplicate")))


def wait(api: Api, added: Sequence[Added]) -> None:
    """Look until each is found by its words, or failed, with a bar where a person watches."""
    waiting = [one for one in added if one.id and one.status == "pending"]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        bar = progress.add_task("reading", total=len(waiting))
        while waiting:
            for one in list(waiting):
                state = api.get(f"/resources/{one.id}/status")
                steps = {step["name"]: step["state"] for step in state["steps"]}
                if state["status"] == "failed" or (state["status"], steps.get("indexed")) == ("completed",) * 2:
                    one.status = state["status"]
                    reasons = [step["error"] for step in state["steps"] if step.get("error")]
                    one.error = reasons[-1] if reasons and one.status == "failed" else None
                    waiting.remove(one)
                    progress.advance(bar)
                    progress.update(bar, description=f"reading {plain(one.source)[-40:]}")
            if waiting:
                time.sleep(PAUSE)
