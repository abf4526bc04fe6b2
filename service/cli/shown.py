"""Answers for people, and for programs. What comes from documents is shown as text, never as a terminal's commands."""

import json
import re
import sys
from html import unescape
from json import dumps
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plain(words: object) -> str:
    """Return text without control characters, of which a terminal would make something else."""
    return _CONTROL.sub("", str(words)).replace("\n", " ")


def as_json(answer: Any) -> None:
    """Print an answer for programs."""
    sys.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2) + "\n")


def event(happened: dict[str, Any], *, json: bool) -> None:
    """Print one event: when, what, its data; for programs all of it, each on a line of its own."""
    if json:
        sys.stdout.write(dumps(happened, ensure_ascii=True) + "\n")
        sys.stdout.flush()
    else:
        data = plain(dumps(happened["data"], ensure_ascii=False))
        out.print(
            Text(f"{happened['timestamp']}  ", style="dim") + Text(f"{happened['name']}  ", style="bold") + Text(data)
        )


def snippet(html: str) -> Text:
    """Return a snippet (HTML whose only tag is <mark>) with its marks in bold."""
    shown = Text()
    for part in re.split(r"(<mark>.*?</mark>)", html):
        marked = part.startswith("<mark>")
        words = plain(unescape(part.removeprefix("<mark>").removesuffix("</mark>") if marked else part))
        shown.append(words, style="bold yellow" if marked else "")
    return shown


def results(answer: dict[str, Any]) -> None:
    """Print what was found."""
    for number, hit in enumerate(answer["items"], answer["offset"] + 1):
        out.print(Text(f"{number:>3} ", style="dim") + Text(plain(hit["title"]), style="bold"))
        facts = [hit["type"], hit["language"], ", ".join(hit["authors"]), ", ".join(hit["tags"])]
        out.print(Text("    " + " · ".join(plain(fact) for fact in facts if fact), style="dim"))
        if hit["snippet"]:
            out.print(Text("    ") + snippet(hit["snippet"]))
        out.print(Text(f"    {hit['id']}  {plain(hit['url'] or '')}\n", style="dim"))
    if answer.get("degraded"):
        err.print("Words alone were searched: the model is away.", style="yellow")
    if not answer["items"]:
        err.print(f"Nothing was found for {plain(answer['query'])}.")
    else:
        err.print(f"{answer['total']:,} found in {answer['took_ms']:.0f} ms.", style="dim")
    if answer.get("did_you_mean"):
        err.print(f"Did you mean: {plain(answer['did_you_mean'])}")


def resource(found: dict[str, Any], status: dict[str, Any], *, text: bool) -> None:
    """Print one resource: what is known of it, how far it is, and its text where asked for."""
    out.print(Text(plain(found["title"]), style="bold"))
    table = Table(box=None, show_header=False, pad_edge=False)
    names = ("id", "url", "type", "language", "authors", "subjects", "tags", "published_at", "created_at", "word_count")
    for name in names:
        value = found.get(name)
        if value not in (None, [], ""):
            words = ", ".join(map(str, value)) if isinstance(value, list) else value
            table.add_row(Text(name, style="dim"), Text(plain(words)))
    table.add_row(Text("status", style="dim"), Text(plain(status["status"])))
    if status.get("waiting_for"):
        table.add_row(Text("waiting for", style="dim"), Text(plain(status["waiting_for"])))
    for step in status["steps"]:
        said = f"{step['state']} {step.get('error') or ''}".strip()
        table.add_row(Text(f"  {step['name']}", style="dim"), Text(plain(said)))
    out.print(table)
    if text:
        out.print()
        for line in found["content"].splitlines():
            out.print(Text(plain(line)))


def overview(server: str, ready: dict[str, Any], workers: dict[str, Any]) -> None:
    """Print how the server stands; of workers and queues nothing where the broker is away."""
    good = ready["status"] == "ready"
    out.print(Text(f"{server} is {ready['status']}", style="bold green" if good else "bold red"))
    for name, check in ready["checks"].items():
        facts = ", ".join(f"{key} {value}" for key, value in check.items() if key != "ok" and value is not None)
        state = Text("look ", style="yellow") if "warning" in check else Text("ok   ", style="green")
        state = state if check["ok"] else Text("wrong", style="red")
        out.print(Text(f"  {name:<10}", style="dim") + state + Text(f"  {plain(facts)}"))
    table = Table("queue", "waiting", "running", "scheduled", "dead", "oldest", box=None, pad_edge=False)
    for queue in workers.get("queues", ()):
        if any(queue[name] for name in ("waiting", "running", "scheduled", "dead")):
            numbers = [f"{queue[name]:,}" for name in ("waiting", "running", "scheduled", "dead")]
            table.add_row(plain(queue["name"]), *numbers, f"{queue['oldest_age_s']:.0f} s")
    if table.row_count:
        out.print(table)
    for worker in workers.get("workers", ()):
        doing = ", ".join(one["name"] for one in worker["active"]) or "idle"
        out.print(Text(f"  worker {worker['pid']}: {len(worker['active'])} of {worker['concurrency']}, {plain(doing)}"))
