"""The installation itself, for what no server can be asked for: its database and folders, whether it runs or not."""

import fcntl
import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from service.embedded import Postgres, running
from service.settings import Settings, settings


@contextmanager
def opened(home: Path) -> Generator[Settings]:
    """Have the database there for the block: the one that the settings name, or the embedded one below `home`.

    That is started where Pharos does not run, and `make up` waits meanwhile.
    """
    os.environ.setdefault("PHAROS_HOME", str(home.resolve()))
    settings.cache_clear()
    with ExitStack() as stack:
        if settings().database_url is None:
            os.environ["PHAROS_DATABASE_URL"] = stack.enter_context(_embedded(settings().home.resolve()))
            stack.callback(os.environ.pop, "PHAROS_DATABASE_URL", None)
            stack.callback(settings.cache_clear)
            settings.cache_clear()
        yield settings()


@contextmanager
def _embedded(home: Path) -> Generator[str]:
    run = home / "run"
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    postgres = Postgres(home / "postgres")
    with (run / "supervisor.pid").open("a+") as held, ExitStack() as stack:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # its supervisor runs, and so does the server
            yield postgres.url()
            return
        held.seek(0)
        held.truncate()
        held.write(str(os.getpid()))
        held.flush()
        log = stack.enter_context((run / "postgres.log").open("ab"))
        sys.stderr.write("Pharos does not run: its database is started for this.\n")
        stack.enter_context(running(postgres, log))
        yield postgres.url()
