"""Answers for people, and for programs. What comes from documents is shown as text, never as a terminal's commands.

What is asked for goes to standard output; what is said about it, to standard error.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from html import unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from service.client.models import Event, Progress, Readiness, Resource, SearchPage, Workers

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@cache
def console(*, errors: bool = False) -> "Console":
    """Return what prints for people; colours only on a terminal, and none with NO_COLOR."""
    from rich.console import Console

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Piped(stderr=errors, highlight=False, soft_wrap=True, markup=False, emoji=False)


def say(words: "str | Text" = "", style: str | None = None) -> None:
    """Print what was asked for."""
    console().print(words, style=style)


def note(words: str, style: str | None = None) -> None:
    """Say something about it."""
    console(errors=True).print(words, style=style)


def row(*columns: object) -> None:
    """Print a line: its columns with two spaces between, those that say nothing left out."""
    say("  ".join(plain(one) for one in columns if one not in (None, "", ())))


def plain(words: object) -> str:
    """Return text without control characters, of which a terminal would make something else."""
    return _CONTROL.sub("", str(words)).replace("\n", " ")


def data(answer: Any) -> Any:
    """Return an answer as JSON knows it: of models what they say."""
    if hasattr(answer, "model_dump"):
        return answer.model_dump(mode="json", exclude_none=True)
    if isinstance(answer, Mapping):
        return {key: data(value) for key, value in answer.items()}
    return [data(one) for one in answer] if isinstance(answer, list | tuple) else answer


def as_json(answer: Any) -> None:
    """Print an answer for programs: one document."""
    sys.stdout.write(json.dumps(data(answer), ensure_ascii=False, indent=2, default=str) + "\n")


def json_line(answer: Any) -> None:
    """Print one of many for programs, on a line of its own, at once."""
    sys.stdout.write(json.dumps(data(answer), ensure_ascii=True, default=str) + "\n")
    sys.stdout.flush()


def facts(answer: Any, names: Sequence[str] = ()) -> None:
    """Print what one thing says, a line for each field."""
    told = data(answer)
    for name in names or told:
        value = told.get(name)
        if value not in (None, [], {}, ""):
            text = ", ".join(map(str, value)) if isinstance(value, list) else value
            pair(name, text if isinstance(text, str) else json.dumps(text, ensure_ascii=False))


def pair(name: str, value: object, width: int = 16) -> None:
    """Print one fact."""
    from rich.text import Text

    say(Text(f"{name:<{width}}", style="dim") + Text(plain(value)))


def event(happened: "Event") -> None:
    """Print one event: when, what, its data."""
    from rich.text import Text

    when = happened.timestamp.isoformat().replace("+00:00", "Z")
    about = plain(json.dumps(dict(happened.data), ensure_ascii=False))
    say(Text(f"{when}  ", style="dim") + Text(f"{happened.name}  ", style="bold") + Text(about))


def snippet(html: str) -> "Text":
    """Return a snippet (HTML whose only tag is <mark>) with its marks in bold."""
    from rich.text import Text

    made = Text()
    for part in re.split(r"(<mark>.*?</mark>)", html):
        marked = part.startswith("<mark>")
        words = plain(unescape(part.removeprefix("<mark>").removesuffix("</mark>") if marked else part))
        made.append(words, style="bold yellow" if marked else "")
    return made


def results(answer: "SearchPage") -> None:
    """Print what was found."""
    from rich.text import Text

    for number, hit in enumerate(answer.items, answer.offset + 1):
        say(Text(f"{number:>3} ", style="dim") + Text(plain(hit.title), style="bold"))
        known = [hit.type, hit.language, ", ".join(hit.authors), ", ".join(hit.tags)]
        say(Text("    " + " · ".join(plain(one) for one in known if one), style="dim"))
        if hit.snippet:
            say(Text("    ") + snippet(hit.snippet))
        say(Text(f"    {hit.id}  {plain(hit.url or '')}\n", style="dim"))
    if answer.degraded:
        note("Words alone were searched: the model is away.", "yellow")
    if not answer.items:
        note(f"Nothing was found for {plain(answer.query)}.")
    else:
        note(f"{answer.total:,} found in {answer.took_ms:.0f} ms.", "dim")
    if answer.did_you_mean:
        note(f"Did you mean: {plain(answer.did_you_mean)}")


def resource(found: "Resource", progress: "Progress", *, text: bool) -> None:
    """Print one resource: what is known of it, how far it is, and its text where asked for."""
    from rich.text import Text

    say(Text(plain(found.title), style="bold"))
    names = ("id", "url", "type", "language", "authors", "subjects", "tags", "published_at", "created_at", "version")
    facts(found, (*names, "word_count"))
    pair("status", progress.status)
    if progress.waiting_for:
        pair("waiting for", progress.waiting_for)
    for step in progress.steps:
        pair(f"  {step.name}", f"{step.state} {step.error or ''}".strip())
    if text:
        say()
        for line in found.content.splitlines():
            say(Text(plain(line)))


def overview(server: str, ready: "Readiness", workers: "Workers | None") -> None:
    """Print how the server stands; of workers and queues nothing where the broker is away."""
    from rich.table import Table
    from rich.text import Text

    good = ready.status == "ready"
    say(Text(f"{server} is {ready.status}", style="bold green" if good else "bold red"))
    for name, check in ready.checks.items():
        told = ", ".join(f"{key} {value}" for key, value in check.items() if key != "ok" and value is not None)
        state = Text("look ", style="yellow") if "warning" in check else Text("ok   ", style="green")
        state = state if check["ok"] else Text("wrong", style="red")
        say(Text(f"  {name:<10}", style="dim") + state + Text(f"  {plain(told)}"))
    if workers is None:
        return
    table = Table("queue", "waiting", "running", "scheduled", "dead", "oldest", box=None, pad_edge=False)
    for queue in workers.queues:
        numbers = (queue.waiting, queue.running, queue.scheduled, queue.dead)
        if any(numbers):
            table.add_row(plain(queue.name), *(f"{one:,}" for one in numbers), f"{queue.oldest_age_s:.0f} s")
    if table.row_count:
        console().print(table)
    for worker in workers.workers:
        doing = ", ".join(one["name"] for one in worker.active) or "idle"
        say(Text(f"  worker {worker.pid}: {len(worker.active)} of {worker.concurrency}, {plain(doing)}"))
