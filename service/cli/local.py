"""What is done here: `mcp` on this program's input and output; `backup`, `restore`, `check` on the installation."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.api import address_of, token_of
from service.cli.asking import Json, Server, Token

app = typer.Typer()


@app.command()
def mcp(server: Server = None, token: Token = None) -> None:
    """Let an assistant use the library: the Model Context Protocol on standard input and output."""
    from service.mcp import stdio  # half a second, for this command alone

    who = token_of(token)
    stdio.run(address_of(server), {"Authorization": f"Bearer {who}"} if who else {})


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
