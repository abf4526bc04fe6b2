"""What the server does: `status`, `tasks`, `dlq`, `events`."""

from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from service.cli import shown
from service.cli.api import FAILED, USAGE, Trouble
from service.cli.asking import Json, Most, Yes, asks, confirm, group, listed, words_of
from service.cli.library import each

if TYPE_CHECKING:
    from service.client import Client
    from service.client.models import Letter, Task

app = typer.Typer()
tasks = group(app, "tasks", "What is done after an answer.")
dlq = group(app, "dlq", "Dead letters: tasks that failed for good. Operators read them, admins retry and discard.")
events = group(app, "events", "What happened, and what happens.")

TaskId = Annotated[str, typer.Argument(help="The id of a task.")]
Status = Literal["scheduled", "queued", "running", "retrying", "succeeded", "failed", "cancelled"]
Reason = Annotated[
    Literal["permanent", "exhausted", "poison", "unknown_task"] | None, typer.Option(help="Why they were given up.")
]
Name = Annotated[str | None, typer.Option(help="Of this task.")]
Queue = Annotated[str | None, typer.Option(help="Of this queue.")]
Since = Annotated[datetime | None, typer.Option(help="That failed since then (UTC).")]
Text = Annotated[str | None, typer.Option("--text", help="With this in the exception or the arguments.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]
LetterIds = Annotated[list[str] | None, typer.Argument(help="Ids of dead letters; - reads one from each line.")]


@asks(app, examples=("pharos status", "pharos status --json | jq .ready.checks.workers"))
async def status(pharos: "Client", json: Json = False) -> None:
    """Show how the server stands: what it needs, its queues, its workers; 1 where something is wrong."""
    from service.client import Unavailable

    ready = await pharos.server.ready()
    try:
        workers = await pharos.server.workers()
    except Unavailable:  # it needs the broker
        workers = None
    if json:
        shown.as_json({"server": pharos.address, "ready": ready, "workers": workers or {}})
    else:
        shown.overview(pharos.address, ready, workers)
    if ready.status != "ready":
        raise typer.Exit(FAILED)


def _task(one: "Task") -> tuple[object, ...]:
    progress = one.progress or {}
    far = f"{progress['current']} of {progress['total']}" if {"current", "total"} <= set(progress) else None
    return (one.task_id, one.status, one.name, one.queue, far, one.error)


@asks(
    tasks,
    "list",
    examples=("pharos tasks list --status running", "pharos tasks list --json | jq -r .name | sort | uniq -c"),
)
async def list_tasks(
    pharos: "Client",
    status: Annotated[Status | None, typer.Option(help="How far they are.")] = None,
    name: Name = None,
    limit: Most = 25,
    json: Json = False,
) -> None:
    """List the last tasks, the newest first: yours, or all where you operate."""
    await listed(pharos.tasks.list(status=status, name=name, limit=limit), _task, json=json)


@asks(tasks, "show")
async def show_task(
    pharos: "Client",
    id: TaskId,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has ended.")] = False,
    json: Json = False,
) -> None:
    """Show how far a task is; 1 where it failed."""
    found = await (pharos.tasks.wait if wait else pharos.tasks.get)(id)
    if json:
        shown.as_json(found)
    else:
        shown.facts(found)
    if found.status == "failed":
        raise typer.Exit(FAILED)


@asks(tasks, "cancel")
async def cancel_task(pharos: "Client", id: TaskId, json: Json = False) -> None:
    """Cancel a task that a person asked for."""
    found = await pharos.tasks.cancel(id)
    if json:
        shown.as_json(found)
    else:
        shown.row(*_task(found))


def _letter(one: "Letter") -> tuple[object, ...]:
    return (one.id, f"{one.failed_at:%Y-%m-%d %H:%M}", one.name, one.reason, one.exception)


@asks(dlq, "list", examples=("pharos dlq list --name ingest_resource", "pharos dlq list --reason poison --json"))
async def list_letters(
    pharos: "Client",
    name: Name = None,
    queue: Queue = None,
    reason: Reason = None,
    since: Since = None,
    text: Text = None,
    limit: Most = 25,
    json: Json = False,
) -> None:
    """List dead letters, the newest first."""
    found = pharos.dead_letters.list(name=name, queue=queue, reason=reason, since=since, q=text, limit=limit)
    await listed(found, _letter, json=json)


@asks(dlq, "show")
async def show_letter(
    pharos: "Client", id: Annotated[str, typer.Argument(help="The id of a dead letter.")], json: Json = False
) -> None:
    """Show a dead letter: the task, what it was given, and why it failed."""
    found = await pharos.dead_letters.get(id)
    if json:
        shown.as_json(found)
        return
    shown.facts(found, ("id", "task_id", "name", "queue", "arguments", "attempts", "reason", "failed_at", "exception"))
    for line in (found.traceback or "").splitlines():
        shown.say(shown.plain(line))


@asks(
    dlq,
    "retry",
    examples=("pharos dlq retry 0192f0c1-...", "pharos dlq retry --name ingest_resource --since 2026-11-01"),
)
async def retry_letters(
    pharos: "Client",
    ids: LetterIds = None,
    name: Name = None,
    queue: Queue = None,
    reason: Reason = None,
    since: Since = None,
    text: Text = None,
    all: All = False,
    json: Json = False,
) -> None:
    """Send tasks again: those that are named, or that meet every condition."""
    if ids:
        await each(words_of(ids), pharos.dead_letters.retry, "retried", json=json)
        return
    _some(name, queue, reason, since, text, all)
    done = await pharos.dead_letters.retry_many(name=name, queue=queue, reason=reason, since=since, q=text, all=all)
    if json:
        shown.as_json(done)
    else:
        shown.row(f"{done.retried} retried", f"{done.refused} refused" if done.refused else None)
        for one in done.examples:
            shown.note(f"refused  {one.id}: {shown.plain(one.detail)}", "red")


@asks(dlq, "discard", examples=("pharos dlq discard 0192f0c1-...", "pharos dlq discard --reason unknown_task --yes"))
async def discard_letters(
    pharos: "Client",
    ids: LetterIds = None,
    name: Name = None,
    queue: Queue = None,
    reason: Reason = None,
    since: Since = None,
    text: Text = None,
    all: All = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Give tasks up for good: those that are named, or that meet every condition."""
    if ids:
        await each(words_of(ids), pharos.dead_letters.discard, "discarded", json=json)
        return
    _some(name, queue, reason, since, text, all)
    confirm("Give up all dead letters that meet this?", yes=yes)
    done = await pharos.dead_letters.discard_many(name=name, queue=queue, reason=reason, since=since, q=text, all=all)
    if json:
        shown.as_json(done)
    else:
        shown.row(f"{done.discarded} discarded")


def _some(*conditions: object) -> None:
    if not any(conditions):
        raise Trouble("Say which: by their ids, by a condition as --name, or --all.", USAGE)


@asks(events, examples=("pharos events tail", "pharos events tail 'document.*' --json | jq -r .data.document_id"))
async def tail(
    pharos: "Client",
    types: Annotated[list[str] | None, typer.Argument(help="As resource.created or 'document.*'; else all.")] = None,
    json: Json = False,
) -> None:
    """Print the events that you may see, as they happen, until it is interrupted; with --json a line for each."""
    async with aclosing(pharos.events.stream(*types or ())) as stream:
        async for event in stream:
            if json:
                shown.json_line(event)
            else:
                shown.event(event)


@asks(events, examples=("pharos events history --name resource.created --limit 10",))
async def history(
    pharos: "Client",
    name: Annotated[str | None, typer.Option(help="Of this name.")] = None,
    correlation_id: Annotated[str | None, typer.Option(help="Of this request, and what followed from it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """Print the last events that you may see, the newest last; with --json a line for each."""
    answer = await pharos.events.history(name=name, correlation_id=correlation_id, limit=limit)
    for event in answer.events:
        if json:
            shown.json_line(event)
        else:
            shown.event(event)
