"""What a worker's tasks leave behind, the same for every contestant: a counter in a file of each process, at no cost.

Environment: TALLY, a folder.
"""

import os
import struct
import threading
import time
from mmap import mmap

SIZE = 8


class Tally:
    """Counts in a file that is named after the process; opened by the first task, since some workers fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._count = 0

    def add(self) -> None:
        """Count one task."""
        with self._lock:
            if self._pid != os.getpid():
                self._open()
            self._count += 1
            struct.pack_into("q", self._memory, 0, self._count)

    def _open(self) -> None:
        self._pid, self._count = os.getpid(), 0
        with open(os.path.join(os.environ["TALLY"], f"{self._pid}.count"), "w+b") as file:
            file.write(bytes(SIZE))
            file.flush()
            self._memory = mmap(file.fileno(), SIZE)


def note_lateness(at: float) -> None:
    """Write down how long after `at`, seconds since the epoch, this task has started."""
    late = time.time() - at
    with open(os.path.join(os.environ["TALLY"], "lateness"), "a") as file:
        file.write(f"{late}\n")


tally = Tally()
