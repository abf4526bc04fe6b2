"""Hands a file to a child process with limits, and takes the lines that it writes."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from service.imports.detection import Format
from service.imports.entry import Entry, Found, Highlight, Problem, written
from service.ingestion.sandbox import NoVerdict, Sandbox
from service.ingestion.unreadable import ParserAway
from service.ingestion.verdicts import OUT_OF_MEMORY
from service.settings import settings

READER = "service.imports.reading"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds: its format, None where nobody knows it, and the lines that were written of it."""

    format: Format | None
    lines: list[bytes]
    stopped: str | None  # why the reader did not come to the end of it

    def found(self) -> Iterator[Found]:
        """Yield entries and problems in their order; where the reader was stopped, that comes last."""
        line = 1
        for written_line in self.lines:
            one: dict[str, Any] = orjson.loads(written_line)
            if "entry" in one:
                yield (entry := revived(one["entry"]))
                line = entry.line
            elif "problem" in one:
                yield Problem(**one["problem"])
        if self.stopped:
            yield Problem(line, self.stopped)


def revived(given: dict[str, Any]) -> Entry:
    """Return an entry as it was before it became JSON."""
    fields = dict(given)
    for name in ("created_at", "published_at"):
        fields[name] = written(given.get(name))
    fields["highlights"] = [Highlight(**one) for one in given.get("highlights", ())]
    return Entry(**fields)


async def read_file(body: bytes, format: str) -> Contents:
    """Read a file; raises ParserAway where the reader itself cannot run."""
    try:
        answer = await _sandbox().run(orjson.dumps({"format": format}), body)
    except NoVerdict as error:
        raise ParserAway(kind="file") from error
    output = answer.output
    lines = await asyncio.to_thread(lambda: bytes(output).split(b"\n"))
    lines.pop()  # what follows the last line feed: nothing, or half a line
    head: dict[str, Any] = orjson.loads(lines[0]) if lines else {}
    ended = bool(lines) and lines[-1] == b'{"end":true}'
    return Contents(head.get("format"), lines[1:], None if ended else _stopped(answer.verdict))


def _stopped(verdict: Any) -> str:
    if verdict.expired:
        return f"Reading was stopped after {settings().parser_seconds} seconds; what came before this is taken."
    if verdict.exit_code == OUT_OF_MEMORY:
        return f"Reading needed more than {settings().parser_memory_mb} MB; what came before this is taken."
    return "The reader stopped here; what came before this is taken."


_current: Sandbox | None = None


def _sandbox() -> Sandbox:
    """Return the sandbox of this process: one file at a time, since one can be large."""
    global _current
    if _current is None or _current.loop is not asyncio.get_running_loop():
        _current = Sandbox(1, settings().parser_memory_mb << 20, settings().parser_seconds, READER)
    return _current
