"""How the C library keeps memory for a process that lives long."""

import ctypes
from contextlib import suppress

_ARENA_MAX = -8  # malloc.h


def keep_one_heap() -> None:
    """Let all threads allocate from one heap (glibc; elsewhere nothing happens). To be called before they start.

    A heap for each thread keeps what one of them once needed: 50 MB more in the model's process, 0.7 MB in a worker.
    """
    with suppress(AttributeError):  # only glibc has it
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
