"""`python -m workers.inference`: run the model server until SIGTERM."""

import asyncio
import sys

from service.heap import keep_one_heap
from service.logs import configure
from workers.inference.graph import UnknownGraph
from workers.inference.model import WrongModelFile
from workers.inference.server import AlreadyRunning, serve


def main() -> int:
    """Return the exit status: 1 with one line on what is wrong, 0 after a stop that was asked for."""
    configure()
    keep_one_heap()
    try:
        asyncio.run(serve())
    except (WrongModelFile, UnknownGraph, AlreadyRunning, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
