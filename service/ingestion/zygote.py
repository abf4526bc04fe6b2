"""The process that parser processes are forked from: `python -m service.ingestion.zygote`, started by `sandbox.py`.

Loading the parsers takes a second and 60 MB; a fork of a process that has them takes milliseconds and shares the
memory. For every document the worker sends one end of a socket pair; a child is forked, reads the request from it,
writes its answer and ends. The zygote then adds how it ended (`Verdict`) and closes. A child is killed when its time is
over or when the worker hangs up; the zygote itself ends when the worker does, since its socket then closes.
"""

import ctypes
import gc
import importlib
import logging
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from service.ingestion.verdicts import OUT_OF_MEMORY, Verdict

REQUEST = struct.Struct("!II")  # lengths of the JSON that describes the document, and of the document
PR_SET_PDEATHSIG = 1

Parse = Callable[[bytes, bytes, Callable[[bytes], None]], None]

NICE = 10  # a document that takes a minute gets what a person's request leaves


@dataclass(slots=True)
class Child:
    """A parser process and the zygote's own copy of its socket."""

    pid: int
    line: socket.socket
    deadline: float
    expired: bool = False
    verdict: Verdict | None = None  # once it has ended


class Zygote:
    """Forks a child per document and ends it in time."""

    def __init__(self, control: socket.socket, memory: int, seconds: int, parse: Parse) -> None:
        self.control = control
        self.memory = memory
        self.seconds = seconds
        self.parse = parse
        self.children: dict[int, Child] = {}
        self.by_line: dict[int, Child] = {}
        self.poll = select.poll()

    def serve(self) -> None:
        """Work until the worker hangs up."""
        bell, rung = socket.socketpair()
        for end in (bell, rung):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, _ring)
        signal.set_wakeup_fd(rung.fileno(), warn_on_full_buffer=False)
        self.poll.register(bell, select.POLLIN)
        self.poll.register(self.control, select.POLLIN)
        while True:
            for descriptor, _ in self.poll.poll(self._patience()):
                if descriptor == bell.fileno():
                    with suppress(BlockingIOError):
                        bell.recv(4096)
                elif descriptor == self.control.fileno():
                    if not self._accept():
                        self._stop()
                        return
                elif child := self.by_line.get(descriptor):
                    self._answer(child) if child.verdict else self._kill(child)  # which the worker hung up on
            self._end_late()
            self._reap()

    def _accept(self) -> bool:
        try:
            message, descriptors, _, _ = socket.recv_fds(self.control, 1, 1)
        except ConnectionError:
            return False
        if not message:
            return False
        line = socket.socket(fileno=descriptors[0])
        pid = os.fork()
        if pid == 0:
            self._become_child(line)
        child = Child(pid, line, time.monotonic() + self.seconds)
        self.children[pid] = self.by_line[line.fileno()] = child
        self.poll.register(line, 0)  # a hang-up is reported without asking for anything
        return True

    def _become_child(self, line: socket.socket) -> None:
        status = 1
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.control.close()
            for other in self.children.values():
                other.line.close()
            limit(self.memory, self.seconds)
            source_size, body_size = REQUEST.unpack(_receive(line, REQUEST.size))
            self.parse(_receive(line, source_size), _receive(line, body_size), line.sendall)
            status = 0
        except MemoryError:
            status = OUT_OF_MEMORY
        except BrokenPipeError:
            status = 0  # nobody waits any more
        except Exception:
            traceback.print_exc()  # a fault of the reader, for the log; the worker learns of the exit code
        finally:
            os._exit(status)

    def _patience(self) -> float | None:
        if not self.children:
            return None
        return max(0.0, min(child.deadline for child in self.children.values()) - time.monotonic()) * 1000 + 1

    def _end_late(self) -> None:
        now = time.monotonic()
        for child in self.children.values():
            if child.deadline <= now and not child.expired:
                child.expired = True
                self._kill(child)

    def _kill(self, child: Child) -> None:
        os.kill(child.pid, signal.SIGKILL)  # a process that has ended keeps its number until it is waited for
        self._forget(child.line)

    def _reap(self) -> None:
        while self.children:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self.children.pop(pid)
            expired = child.expired or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
            child.verdict = Verdict.of(status, expired, usage.ru_maxrss * 1024)
            child.line.setblocking(False)
            self._answer(child)

    def _answer(self, child: Child) -> None:
        """Add the verdict to what the child wrote, as soon as the worker has read enough of that."""
        assert child.verdict is not None
        try:
            child.line.send(child.verdict.pack())
        except BlockingIOError:
            self.poll.register(child.line, select.POLLOUT)
            return
        except ConnectionError:
            pass  # the worker no longer waits
        self._forget(child.line)
        del self.by_line[child.line.fileno()]
        child.line.close()

    def _forget(self, line: socket.socket) -> None:
        with suppress(KeyError):
            self.poll.unregister(line)

    def _stop(self) -> None:
        for child in self.children.values():
            self._kill(child)
        for child in self.children.values():
            os.waitpid(child.pid, 0)


def _ring(*_: object) -> None:
    """Do nothing: without a handler the signal would not reach the wake-up socket."""


def limit(memory: int, seconds: int) -> None:
    """Let this process take `memory` more bytes and `seconds` of CPU, after everybody else, and write no file."""
    os.nice(NICE)
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _receive(line: socket.socket, size: int) -> bytes:
    received = bytearray(size)
    view = memoryview(received)
    while view:
        count = line.recv_into(view)
        if not count:
            raise BrokenPipeError
        view = view[count:]
    return bytes(received)


def main() -> None:
    """Load the parsers, then serve the worker at the other end of the socket."""
    descriptor, memory, seconds = (int(argument) for argument in sys.argv[1:4])
    reader = importlib.import_module(sys.argv[4])
    reader.warm_up()
    logging.disable(logging.CRITICAL)  # what the parsers complain about is in their answers
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every shared page
    Zygote(socket.socket(fileno=descriptor), memory, seconds, reader.answer).serve()


if __name__ == "__main__":
    main()
