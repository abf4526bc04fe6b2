"""`pharos backup`, `restore`, `check`: they work on the installation itself, on its machine, whether it runs or not."""

import asyncio
import signal
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import typer
from sqlalchemy.exc import DBAPIError

from service.cli import shown
from service.cli.api import Trouble, home
from service.cli.installation import opened
from service.errors import PharosError
from service.settings import Settings

ResultT = TypeVar("ResultT")


def backup(file: Path) -> None:
    """Write the whole library into one file: all rows as they are now, and the originals."""
    from service.backups.taking import take  # the other commands answer faster without the database

    with _installation() as settings:
        taken = _run(take(_url(settings), file.absolute()))
    shown.say(f"{shown.plain(file)}: {taken.rows:,} rows, {taken.originals:,} originals, {taken.size / 2**20:,.1f} MB")
    if taken.missing:
        shown.note(f"{taken.missing:,} originals were not there; `pharos check` names them.", "yellow")


def restore(file: Path, *, force: bool) -> None:
    """Bring a library back from a backup, into a Pharos that is stopped and empty."""
    from service.backups.restoring import restore

    with _installation() as settings:
        back = _run(restore(_url(settings), file.absolute(), force=force))
    shown.say(
        f"Restored what {shown.plain(file)} holds, as of {back.head.created_at:%Y-%m-%d %H:%M} UTC: {back.rows:,} rows,"
        f" {back.originals:,} originals. `make up` starts it."
    )
    if back.missing:
        shown.note(f"{back.missing:,} originals are not in it: they were missing before.", "yellow")
    if back.before:
        shown.say(f"What was there before is the database {back.before} now.")


def check(*, repair: bool, json: bool) -> None:
    """Say what does not fit together, and with `repair` set right what can be; 1 where something is left."""
    from service import database
    from service.backups.checking import Finding, check

    async def checked() -> list[Finding]:
        async with database.connected("check", 2, 2):
            return await check(repair=repair)

    with _installation():
        found = _run(checked())
    if json:
        shown.as_json([asdict(one) for one in found])
    for one in [] if json else found:
        shown.say(shown.plain(f"{one.words.rstrip('.')}."))
        for example in one.examples:
            shown.say(f"    {example}", "dim")
        if one.repair:
            shown.say(f"  {'Repaired' if one.repaired else 'With --repair'}: {one.repair}", "dim")
    if not found and not json:
        shown.say("Everything fits together.")
    if any(not one.repaired for one in found):
        raise typer.Exit(1)


@contextmanager
def _installation() -> Generator[Settings]:
    try:
        with opened(home()) as settings:
            yield settings
    except PharosError as error:
        raise Trouble(error.detail) from error
    except (OSError, DBAPIError) as error:
        raise Trouble(f"The installation cannot be used: {error}") from error


def _url(settings: Settings) -> str:
    assert settings.database_url is not None  # the embedded one's, where nobody names another
    return settings.database_url


def _run(work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run to the end; a signal to end takes away what is half done first."""

    async def ended() -> ResultT:
        task = asyncio.ensure_future(work)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(ended())
    except asyncio.CancelledError:
        raise Trouble("It was ended before it was done; nothing is left of it.") from None
