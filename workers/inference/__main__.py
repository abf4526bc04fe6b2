"""`python -m workers.inference`: run the model server until SIGTERM."""

import asyncio
import ctypes
import sys
from contextlib import suppress

from service.logs import configure
from workers.inference.graph import UnknownGraph
from workers.inference.model import WrongModelFile
from workers.inference.server import AlreadyRunning, serve

_ARENA_MAX = -8  # malloc.h; a heap for each thread would keep 50 MB more


def main() -> int:
    """Return the exit status: 1 with one line on what is wrong, 0 after a stop that was asked for."""
    configure()
    with suppress(AttributeError):  # only glibc has it
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
    try:
        asyncio.run(serve())
    except (WrongModelFile, UnknownGraph, AlreadyRunning, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
