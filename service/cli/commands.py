"""What can be asked for: `pharos add`, `search`, `show`, `import`, `export`, `backup` and the others."""

import sys
from contextlib import nullcontext
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from service.cli import adding, following, shown, transfer
from service.cli.api import Api, Trouble

app = typer.Typer(help="Pharos, from the command line.", no_args_is_help=True, add_completion=False)

events = typer.Typer(help="What happens, as it happens.", no_args_is_help=True)
app.add_typer(events, name="events")

Server = Annotated[
    str | None, typer.Option(help="Address of the server; else PHAROS_SERVER, else the one of `make up`.")
]
Token = Annotated[str | None, typer.Option(help="A token; else PHAROS_TOKEN, else the admin's that `make up` keeps.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer for programs.")]
Id = Annotated[str, typer.Argument(help="The id of a resource.")]


@app.command()
def add(
    things: Annotated[
        list[str], typer.Argument(help="Addresses, files, folders; - reads addresses from standard input.")
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when all of it can be found; 1 where some of it failed.")
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="For your eyes only.")] = False,
    json: Json = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Add web pages, documents and folders of documents."""
    sorted_things = adding.sort(things)
    for path, reason in sorted_things.skipped:
        shown.err.print(f"skipped {shown.plain(path)}: {reason}", style="dim")
    with Api(server, token) as api:
        added: list[adding.Added] = []
        for one in adding.add(api, sorted_things, private=private):
            added.append(one)
            if not json and not wait and one.error is None:
                known = "is there already" if one.duplicate else "added"
                shown.out.print(f"{one.id}  {known}  {shown.plain(one.source)}")
        if wait:
            try:
                adding.wait(api, added)
            except KeyboardInterrupt:
                shown.err.print("Stopped waiting. What was added goes on being read.")
                raise typer.Exit(130) from None
    if json:
        shown.as_json([asdict(one) for one in added])
    for one in added:
        if one.error is not None:
            shown.err.print(f"failed   {shown.plain(one.source)}: {shown.plain(one.error)}", style="red")
        elif wait and not json:
            shown.out.print(f"{one.id}  {one.status}  {shown.plain(one.source)}")
    if any(one.error is not None for one in added):
        raise typer.Exit(1)


@app.command()
def search(
    query: Annotated[list[str], typer.Argument(help='Words, "phrases", AND OR NOT, -word, begin*.')],
    mode: Annotated[Literal["hybrid", "keyword", "semantic"], typer.Option()] = "hybrid",
    type: Annotated[list[str] | None, typer.Option()] = None,
    language: Annotated[list[str] | None, typer.Option()] = None,
    author: Annotated[list[str] | None, typer.Option()] = None,
    tag: Annotated[list[str] | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 10,
    json: Json = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Search by words, by meaning, or both."""
    filters = {"type": type, "language": language, "author": author, "tag": tag}
    with Api(server, token) as api:
        answer = api.get("/search", query=" ".join(query), mode=mode, limit=limit, **filters)
    if json:
        shown.as_json(answer)
    else:
        shown.results(answer)


@app.command()
def show(
    id: Id,
    text: Annotated[bool, typer.Option("--text", help="With its text.")] = False,
    json: Json = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Show one resource, and how far it is."""
    with Api(server, token) as api:
        found, status = api.get(f"/resources/{id}"), api.get(f"/resources/{id}/status")
    if json:
        shown.as_json(found | {"steps": status["steps"]})
    else:
        shown.resource(found, status, text=text)


@app.command("import")
def bring_in(
    files: Annotated[list[Path], typer.Argument(exists=True, help="Exports of other programs; folders and ZIPs.")],
    format: Annotated[str, typer.Option(help="Of the files; auto tells it by what is in them.")] = "auto",
    tag: Annotated[list[str] | None, typer.Option(help="For all of it.")] = None,
    private: Annotated[bool, typer.Option("--private", help="For your eyes only.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Return when it has ended; 1 where some was left out.")] = False,
    json: Json = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Import bookmarks, reading lists and bibliographies, or a folder or ZIP of files."""
    answers: list[Any] = []
    wrong = False
    with Api(server, token) as api:
        for file in files:
            if file.is_dir() or file.suffix.lower() == ".zip":
                added = list(transfer.add_files(api, file, private=private))
                wrong |= any(one.error is not None for one in added)
                answers += [asdict(one) for one in added]
                if not json:
                    shown.out.print(f"{len(added)} files  {shown.plain(str(file))}")
                continue
            found = transfer.bring(api, file, format, tag or (), private=private)
            found = transfer.wait(api, found) if wait else found
            wrong |= found["state"] == "failed" or (wait and found["failed"] > 0)
            answers.append(found)
            if not json:
                counts = ", ".join(f"{found[name]} {name}" for name in ("added", "merged", "failed"))
                shown.out.print(f"{found['id']}  {found['state']}  {counts}  {shown.plain(found['filename'])}")
    if json:
        shown.as_json(answers)
    if wrong:
        raise typer.Exit(1)


@app.command("export")
def take_out(
    format: Annotated[
        Literal["json", "csv", "csl", "bibtex", "ris", "netscape", "opml", "markdown"], typer.Option()
    ] = "json",
    text: Annotated[bool, typer.Option("--text", help="With texts, in JSON.")] = False,
    collection: Annotated[str | None, typer.Option(help="The id of a collection; else everything.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; else standard output.")] = None,
    server: Server = None,
    token: Token = None,
) -> None:
    """Write the library, as far as you may see it, in a format of other programs."""
    with Api(server, token) as api, output.open("wb") if output else nullcontext(sys.stdout.buffer) as target:
        for piece in api.download("/export", format=format, text=text, collection=collection):
            target.write(piece)


@app.command()
def status(json: Json = False, server: Server = None, token: Token = None) -> None:
    """Show how the server stands: what it needs, its queues, its workers; 1 where something is wrong."""
    with Api(server, token) as api:
        ready, workers = api.health("/ready"), api.health("/workers/status")  # which needs the broker
    if json:
        shown.as_json({"server": api.server, "ready": ready, "workers": workers})
    else:
        shown.overview(api.server, ready, workers)
    if ready["status"] != "ready":
        raise typer.Exit(1)


@app.command()
def sample(
    remove: Annotated[bool, typer.Option("--remove", help="Delete it again, with all that came of it.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return when all of it can be found; 1 where some of it failed.")
    ] = False,
    json: Json = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Add ten short texts to try everything with, for your eyes only."""
    with Api(server, token) as api:
        if remove:
            answer = api.delete("/sample")
            if json:
                shown.as_json(answer)
            else:
                shown.out.print(f"{answer['removed']} texts of the sample set are deleted.")
            return
        answer = api.post("/sample", {})
        added = [adding.Added(one["filename"], one["id"], one["duplicate"]) for one in answer["items"]]
        if wait:
            adding.wait(api, added)
    if json:
        shown.as_json(answer)
    for one in added:
        if one.error is not None:
            shown.err.print(f"failed   {shown.plain(one.source)}: {shown.plain(one.error)}", style="red")
        elif not json:
            said = one.status if wait else "is there already" if one.duplicate else "added"
            shown.out.print(f"{one.id}  {said}  {shown.plain(one.source)}")
    if any(one.error is not None for one in added):
        raise typer.Exit(1)


@app.command()
def mcp(server: Server = None, token: Token = None) -> None:
    """Let an assistant use the library: the Model Context Protocol on standard input and output."""
    from service.mcp import stdio  # half a second, for this command alone

    with Api(server, token) as api:
        stdio.run(api.server, api.headers)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="As library.tar.gz; it must not exist.")]) -> None:
    """Write the whole library into one file, on the machine of the server; it may run meanwhile."""
    from service.cli import keeping  # with the database

    keeping.backup(file)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `pharos backup` wrote.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also where there is a library: that is kept under another name.")
    ] = False,
) -> None:
    """Bring a library back from a backup, into a Pharos that is stopped, and empty."""
    from service.cli import keeping

    keeping.restore(file, force=force)


@app.command()
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Set right what can be.")] = False, json: Json = False
) -> None:
    """Say what does not fit together in the library, on the machine of the server; 1 where something does not."""
    from service.cli import keeping

    keeping.check(repair=repair, json=json)


@events.command()
def tail(
    types: Annotated[list[str] | None, typer.Argument(help="As resource.created or 'document.*'; else all.")] = None,
    json: Json = False,
    server: Server = None,
    token: Token = None,
) -> None:
    """Print the events that you may see, as they happen, until it is interrupted."""
    with Api(server, token) as api:
        for event in following.follow(api):
            if types is None or any(fnmatchcase(event["name"], pattern) for pattern in types):
                shown.event(event, json=json)


def main() -> None:
    """Run the command; exit status 1: refused or failed, 2: wrong usage, 3: no server."""
    try:
        app()
    except Trouble as trouble:
        for line in str(trouble).splitlines():
            shown.err.print(shown.plain(line), style="red")
        sys.exit(trouble.status)
