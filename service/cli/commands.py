"""The `pharos` command: what can be asked of a server, what is done on the installation itself, and how it ends."""

import sys

import typer

from service.cli import accounts, collected, library, local, moving, operating, reading, shown, subscribing, trashed
from service.cli.api import BROKEN_PIPE, FAILED, INTERRUPTED, Trouble
from service.cli.asking import quiet

app = typer.Typer(
    help="""Pharos, from the command line.

    Asks the server of --server or PHAROS_SERVER, as whoever --token or PHAROS_TOKEN says; else the one that `make up`
    started here, as its admin. With --json, standard output holds JSON alone: one document, or of a list a line for
    each. Where ids or files are named, - reads them from standard input.
    """,
    epilog="\b\n"
    "Exit status:\n"
    "  0    done\n"
    "  1    refused, or failed, or some of it was\n"
    "  2    wrong usage\n"
    "  3    the server cannot be reached\n"
    "  130  interrupted\n"
    "  141  nobody reads standard output any more",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for part in (library, moving, collected, trashed, reading, subscribing, operating, accounts, local):
    app.add_typer(part.app)


def main() -> None:
    """Run the command, and end with a status and a line of words, whatever happens."""
    try:
        app(prog_name="pharos")
    except Trouble as trouble:
        for line in str(trouble).splitlines():
            shown.note(shown.plain(line), "red")
        sys.exit(trouble.status)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        try:
            quiet()
        except typer.Exit:
            sys.exit(BROKEN_PIPE)
    except Exception as error:  # a mistake of ours: it is told in a line as well
        shown.note(shown.plain(f"pharos failed, which is a mistake of its own: {type(error).__name__}: {error}"), "red")
        sys.exit(FAILED)
