"""Which server is asked, who asks, and what a command says and ends with when it fails."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.client import Client, PharosError
    from service.settings import Settings

ROOT = Path(__file__).parents[2]
FAILED, USAGE, UNREACHABLE, INTERRUPTED, BROKEN_PIPE = 1, 2, 3, 130, 141  # exit statuses


class Trouble(Exception):
    """What failed, in words, and the exit status that says so."""

    def __init__(self, words: str, status: int = FAILED) -> None:
        super().__init__(words)
        self.status = status


def connect(server: str | None, token: str | None, *, timeout: float = 30.0, attempts: int = 4) -> "Client":
    """Return a client: of `--server` and `--token`, else PHAROS_SERVER and PHAROS_TOKEN, else of the local Pharos."""
    from service.client import Client  # here: help and completion of words need none of it

    address = address_of(server)
    try:
        return Client(address, token_of(token), timeout=timeout, attempts=attempts)
    except (ValueError, TypeError) as error:
        raise Trouble(f"{address} is not the address of a server: {error}", USAGE) from error


def trouble_of(error: "PharosError") -> Trouble:
    """Return what a failed call means for somebody at a prompt."""
    from service.client import NotPharos, Refused, Unauthorized, Unreachable

    words = str(error)
    if isinstance(error, Unreachable):
        words += " Is it running? `make up` starts it; --server or PHAROS_SERVER says where it is."
    if isinstance(error, Refused):
        for one in error.errors:
            place = ".".join(map(str, one.get("loc", [])))
            words += f"\n  {place}: {one.get('msg', '')}" if place else ""
    if isinstance(error, Unauthorized):
        words += " Give a token: --token, PHAROS_TOKEN, or the file `admin-token` that `make up` keeps in .pharos."
    return Trouble(words, UNREACHABLE if isinstance(error, Unreachable | NotPharos) else FAILED)


def address_of(server: str | None) -> str:
    """Return where the server is."""
    return (server or os.environ.get("PHAROS_SERVER") or _local_server()).rstrip("/")


def token_of(token: str | None) -> str | None:
    """Return who asks."""
    return token or os.environ.get("PHAROS_TOKEN") or _local_token()


def home() -> Path:
    """Return the folder of a Pharos in this folder's installation."""
    given = os.environ.get("PHAROS_HOME")
    return Path(given) if given else ROOT / _installed().home


def _local_server() -> str:
    started = home() / "run" / "env"  # what `make up PHAROS_PORT=8001` was told stands nowhere else
    known = _installed(started) if os.access(started, os.R_OK) else _installed()
    return f"http://{known.host}:{known.port}"


def _installed(*more: Path) -> "Settings":
    """Return the settings that `make up` starts this installation with: the environment's, else those of its files."""
    from service.settings import Settings  # here: who names a server needs none of them

    return Settings(_env_file=(ROOT / ".env", *more))  # pyright: ignore[reportCallIssue] -- one of pydantic-settings


def _local_token() -> str | None:
    file = home() / "admin-token"
    try:
        return file.read_text().strip() or None
    except OSError:
        return None
