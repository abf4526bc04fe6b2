"""A reader that does what the document says: for tests of the sandbox."""

import os
import signal
import time
from collections.abc import Callable


def warm_up() -> None:
    """Load nothing."""


def answer(description: bytes, body: bytes, write: Callable[[bytes], None]) -> None:
    """Write the kind and do as the body tells."""
    write(b"document\n")
    match body.split():
        case [b"echo", *words]:
            write(b" ".join(words) + b" for " + description)
        case [b"pid"]:
            write(str(os.getpid()).encode())
        case [b"spin"]:
            while True:
                pass
        case [b"sleep"]:
            time.sleep(600)
        case [b"eat"]:
            eaten = [bytes(10_000_000) for _ in range(1000)]
            write(str(len(eaten)).encode())
        case [b"crash"]:
            os.kill(os.getpid(), signal.SIGSEGV)
        case [b"raise"]:
            raise RuntimeError
        case [b"flood"]:
            while True:
                write(bytes(1 << 20))
        case [b"fill", size]:
            write(bytes(int(size)))
        case [b"write", name]:
            with open(name, "w") as file:
                file.write("something")
        case [b"environment"]:
            write(" ".join(sorted(os.environ)).encode())
        case _:
            write(str(len(body)).encode())
