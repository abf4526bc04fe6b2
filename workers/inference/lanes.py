"""Who computes when.

    queries   one thread per core, at normal priority
    passages  one thread per core, at low priority, one passage at a time: a core is never held longer than that

The kernel gives a query its core at once, whatever the passages do, since the latter are `nice`. A document whose first
passages are taken goes to the back of the line, so that a book delays no note; books follow one another.
"""

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

import numpy as np

from service.inference import DIMENSIONS
from workers.inference.chunking import Chunk
from workers.inference.model import Model, Vectors, unit

NICE = 10
FIRST_TURN = 16  # passages of a document before it lets others pass
BACKLOG = 500_000  # characters per thread that may wait, about a minute's work; who comes then has to come again
MAX_PASSAGES = 1024  # of one document, some 80,000 words; the rest is not embedded

T = TypeVar("T")


class Busy(Exception):
    """More documents wait than can be embedded within a minute."""


@dataclass(slots=True)
class Embedded:
    """The passages of a document and one vector for each, the last row being their unit mean."""

    spans: list[tuple[int, int]]
    vectors: Vectors
    truncated: bool


@dataclass(slots=True, eq=False)
class _Job(Generic[T]):
    done: asyncio.Future[T]

    def settle(self, result: T | Exception) -> None:
        """Hand over what a thread has made."""
        self.done.get_loop().call_soon_threadsafe(_settle, self.done, result)


@dataclass(slots=True, eq=False)
class _Query(_Job[bytes]):
    pieces: list[int]


@dataclass(slots=True, eq=False)
class _Document(_Job[Embedded]):
    title: str
    text: str
    chunks: list[Chunk] | None = None
    truncated: bool = False
    vectors: Vectors = field(default_factory=lambda: np.empty((0, DIMENSIONS), np.float32))
    taken: int = 0
    computed: int = 0


class Lanes:
    """The threads that compute, and the lines before them."""

    def __init__(self, model: Model, threads: int) -> None:
        self._model = model
        self._queries: deque[_Query] = deque()
        self._fresh: deque[_Document] = deque()
        self._long: deque[_Document] = deque()
        self._waiting = 0  # characters
        self._backlog = BACKLOG * threads
        self._turn = 0
        self._stopping = False
        lock = threading.Lock()
        self._query_arrived, self._document_arrived = threading.Condition(lock), threading.Condition(lock)
        self._threads = [
            threading.Thread(target=serve, name=f"{name}-{number}", daemon=True)
            for name, serve in (("queries", self._serve_queries), ("passages", self._serve_documents))
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each thread finish its passage, and no more."""
        with self._query_arrived:
            self._stopping = True
            self._query_arrived.notify_all()
            self._document_arrived.notify_all()
        for thread in self._threads:
            thread.join(timeout=0.5)

    async def query(self, text: str) -> bytes:
        """Return the vector of a query."""
        job = _Query(asyncio.get_running_loop().create_future(), self._model.pieces(text))
        with self._query_arrived:
            self._queries.append(job)
            self._query_arrived.notify()
        return await job.done

    async def document(self, title: str, text: str) -> Embedded:
        """Return the passages of a document, or raise Busy; cancelling drops what is not computed yet."""
        if self._waiting > self._backlog:
            raise Busy
        self._waiting += len(text)
        job = _Document(asyncio.get_running_loop().create_future(), title, text)
        with self._document_arrived:
            self._fresh.append(job)
            self._document_arrived.notify_all()
        try:
            return await job.done
        finally:
            self._waiting -= len(text)

    def _serve_queries(self) -> None:
        while True:
            with self._query_arrived:
                self._query_arrived.wait_for(lambda: self._queries or self._stopping)
                if self._stopping:
                    return
                query = self._queries.popleft()
            try:
                query.settle(self._model.embed(query.pieces).tobytes())
            except Exception as error:
                query.settle(error)

    def _serve_documents(self) -> None:
        if sys.platform == "linux":  # elsewhere priorities belong to processes
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while True:
            with self._document_arrived:
                self._document_arrived.wait_for(lambda: self._fresh or self._long or self._stopping)
                if self._stopping:
                    return
                work = self._next()
            if work is not None:
                document, step = work
                try:
                    step()
                except Exception as error:
                    document.settle(error)

    def _next(self) -> tuple[_Document, Callable[[], None]] | None:
        """Take the next piece of work under the lock: cutting a document, or one of its passages."""
        self._turn += 1
        line = self._fresh or self._long
        if self._long and self._turn % 4 == 0:  # a stream of short ones must not starve the long ones
            line = self._long
        document = line[0]
        if document.done.cancelled():
            line.popleft()
            return None
        if document.chunks is None:
            line.popleft()
            return document, lambda: self._cut(document)
        index = document.taken
        document.taken += 1
        if document.taken == len(document.chunks):
            line.popleft()
        elif line is self._fresh and document.taken == FIRST_TURN:
            self._long.append(line.popleft())
        return document, lambda: self._compute(document, index)

    def _cut(self, document: _Document) -> None:
        found = list(islice(self._model.chunker.chunk(document.title, document.text), MAX_PASSAGES + 1))
        document.truncated = len(found) > MAX_PASSAGES
        document.chunks = found[:MAX_PASSAGES]
        document.vectors = np.empty((len(document.chunks) + bool(document.chunks), DIMENSIONS), np.float32)
        if not document.chunks:
            self._finish(document)
            return
        with self._document_arrived:
            self._fresh.appendleft(document)
            self._document_arrived.notify_all()

    def _compute(self, document: _Document, index: int) -> None:
        assert document.chunks is not None
        document.vectors[index] = self._model.embed(document.chunks[index].pieces)
        with self._document_arrived:
            document.computed += 1
            last = document.computed == len(document.chunks)
        if last:
            document.vectors[-1] = unit(document.vectors[:-1].mean(axis=0))
            self._finish(document)

    def _finish(self, document: _Document) -> None:
        spans = [(chunk.start, chunk.end) for chunk in document.chunks or ()]
        document.settle(Embedded(spans, document.vectors, document.truncated))


def _settle(done: asyncio.Future[T], result: T | Exception) -> None:
    if done.done():  # cancelled meanwhile
        return
    if isinstance(result, Exception):
        done.set_exception(result)
    else:
        done.set_result(result)
