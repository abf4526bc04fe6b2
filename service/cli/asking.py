"""Commands that ask the server: what they all take, how they run, and what they read from standard input."""

import os
import re
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, suppress
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from service.cli import completing, shown
from service.cli.api import BROKEN_PIPE, USAGE, Trouble, connect, trouble_of

if TYPE_CHECKING:
    from service.client import Client

WorkT = TypeVar("WorkT", bound=Callable[..., Awaitable[None]])

Server = Annotated[
    str | None, typer.Option(help="Address of the server; else PHAROS_SERVER, else the one of `make up`.")
]
Token = Annotated[str | None, typer.Option(help="A token; else PHAROS_TOKEN, else the admin's that `make up` keeps.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer for programs, and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Most = Annotated[int | None, typer.Option(min=1, help="At most so many; else all.")]
Id = Annotated[str, typer.Argument(help="The id of a resource.", autocompletion=completing.resources)]
Ids = Annotated[
    list[str],
    typer.Argument(help="Ids of resources; - reads one from each line.", autocompletion=completing.resources),
]

_UUID = re.compile(r"(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")


def group(app: typer.Typer, name: str, words: str) -> typer.Typer:
    """Add a group of commands."""
    made = typer.Typer(help=words, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(made, name=name)
    return made


def asks(app: typer.Typer, name: str | None = None, *, examples: Sequence[str] = ()) -> Callable[[WorkT], WorkT]:
    """Make a coroutine a command: its first parameter is the client, and `--server` and `--token` say of whom."""

    def register(work: WorkT) -> WorkT:
        taken = list(signature(work).parameters.values())[1:]
        where = [
            Parameter(of, Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for of, kind in (("server", Server), ("token", Token))
        ]

        def command(server: str | None = None, token: str | None = None, **given: Any) -> None:
            run(server, token, lambda pharos: work(pharos, **given))

        of_all = [one.replace(kind=Parameter.KEYWORD_ONLY) for one in taken] + where
        command.__signature__ = signature(command).replace(parameters=of_all)  # pyright: ignore[reportFunctionMemberAccess] -- what typer reads
        command.__annotations__ = {one.name: one.annotation for one in of_all}
        command.__doc__ = work.__doc__
        epilog = "\b\nExamples:\n" + "\n".join(f"  {one}" for one in examples) if examples else None
        app.command(name or work.__name__.replace("_", "-"), epilog=epilog)(command)
        return work

    return register


def run(server: str | None, token: str | None, work: "Callable[[Client], Awaitable[None]]") -> None:
    """Run a command to its end; raises Trouble."""
    import asyncio  # here: help needs none of it

    from service.client import PharosError

    async def whole() -> None:
        async with connect(server, token) as pharos:
            await work(pharos)

    try:
        asyncio.run(whole())
        sys.stdout.flush()
    except PharosError as error:
        raise trouble_of(error) from error
    except BrokenPipeError:  # who reads has enough
        quiet()


def quiet() -> None:
    """End as a program does whose reader has left."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nothing, sys.stdout.fileno())
    raise typer.Exit(BROKEN_PIPE)


async def listed(items: AsyncGenerator[Any], line: Callable[[Any], Sequence[object]], *, json: bool) -> None:
    """Print a list as it comes: for programs JSON lines, else a line for each, its first column the id."""
    async with aclosing(items):
        async for item in items:
            if json:
                shown.json_line(item)
            else:
                shown.row(*line(item))


def words_of(named: Iterable[str]) -> list[str]:
    """Return what was named; `-` stands for the lines of standard input."""
    found: list[str] = []
    for word in named:
        found += [line.strip() for line in sys.stdin if line.strip()] if word == "-" else [word]
    if not found:
        raise Trouble("Nothing was named: standard input is empty.", USAGE)
    return found


def confirm(question: str, *, yes: bool) -> None:
    """Ask whoever sits there; where nobody does, `--yes` must have been said."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Trouble(f"{question} Nobody can be asked here: say --yes.", USAGE)
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


async def collection_of(pharos: "Client", named: str) -> str:
    """Return the id of a collection that is named by its id or by its name."""
    if _UUID.match(named):
        return named
    found = [one async for one in pharos.collections.list(q=named) if one.name == named]
    if len(found) != 1:
        many = "There is no collection" if not found else f"There are {len(found)} collections"
        raise Trouble(f"{many} of the name {named}: `pharos collections list` shows their ids.")
    return str(found[0].id)
