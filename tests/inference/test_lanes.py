"""Who computes when, with a model that waits to be told to go on."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest

from service.inference import DIMENSIONS
from workers.inference.chunking import Chunk
from workers.inference.lanes import FIRST_TURN, MAX_PASSAGES, Busy, Lanes


class FakeModel:
    """Cuts at blanks; passages wait for `go_on`, and each text is noted. A passage `boom` fails."""

    def __init__(self) -> None:
        self.computed: list[list[Any]] = []
        self.gate = threading.Semaphore(0)
        self.chunker = self

    def pieces(self, text: str) -> list[Any]:
        return [text]

    def chunk(self, title: str, text: str) -> Iterator[Chunk]:
        for number, word in enumerate(text.split()):
            yield Chunk(number, number + 1, [title, word])  # pyright: ignore[reportArgumentType]

    def embed(self, pieces: list[Any]) -> np.ndarray:
        if len(pieces) == 2:
            self.gate.acquire()
        self.computed.append(pieces)
        if pieces[-1] == "boom":
            raise RuntimeError("boom")
        return np.ones(DIMENSIONS, np.float32)

    def go_on(self, passages: int) -> None:
        self.gate.release(passages)


@pytest.fixture
def fake() -> FakeModel:
    return FakeModel()


@pytest.fixture
async def lanes(fake: FakeModel) -> AsyncIterator[Lanes]:
    running = Lanes(fake, threads=1)  # pyright: ignore[reportArgumentType]
    running.start()
    yield running
    fake.go_on(10_000)
    running.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def titles(fake: FakeModel) -> list[str]:
    return [pieces[0] for pieces in fake.computed]


async def test_a_document_gets_a_vector_for_each_passage_and_their_mean(fake: FakeModel, lanes: Lanes) -> None:
    fake.go_on(3)
    embedded = await lanes.document("title", "one two three")
    assert embedded.spans == [(0, 1), (1, 2), (2, 3)]
    assert embedded.vectors.shape == (4, DIMENSIONS)
    assert not embedded.truncated


async def test_a_query_does_not_wait_for_passages(fake: FakeModel, lanes: Lanes) -> None:
    document = asyncio.create_task(lanes.document("book", "word " * 50))
    await until(lambda: lanes._fresh[0].taken == 1 if lanes._fresh else False)
    assert len(await asyncio.wait_for(lanes.query("now"), 2)) == 4 * DIMENSIONS
    assert not document.done()
    document.cancel()


async def test_a_note_passes_a_book(fake: FakeModel, lanes: Lanes) -> None:
    book = asyncio.create_task(lanes.document("book", "word " * 200))
    await until(lambda: bool(lanes._fresh))
    note = asyncio.create_task(lanes.document("note", "two words"))
    await asyncio.sleep(0)
    fake.go_on(FIRST_TURN + 4)
    await asyncio.wait_for(note, 5)
    assert not book.done()
    assert titles(fake)[:FIRST_TURN] == ["book"] * FIRST_TURN
    book.cancel()


async def test_a_stream_of_notes_does_not_starve_a_book(fake: FakeModel, lanes: Lanes) -> None:
    book = asyncio.create_task(lanes.document("book", "word " * (FIRST_TURN + 10)))
    await until(lambda: bool(lanes._fresh))
    notes = [asyncio.create_task(lanes.document("note", "word")) for _ in range(200)]
    await asyncio.sleep(0)
    fake.go_on(FIRST_TURN + 60)
    await asyncio.wait_for(book, 5)
    assert sum(note.done() for note in notes) < 200
    for note in notes:
        note.cancel()


async def test_what_is_cancelled_is_not_computed(fake: FakeModel, lanes: Lanes) -> None:
    given_up = asyncio.create_task(lanes.document("given up", "word " * 100))
    await until(lambda: bool(lanes._fresh))
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    fake.go_on(200)
    await lanes.document("next", "word")
    assert titles(fake).count("given up") <= 1
    assert lanes._waiting == 0


async def test_a_failure_is_the_document_s_own(fake: FakeModel, lanes: Lanes) -> None:
    fake.go_on(10)
    with pytest.raises(RuntimeError, match="boom"):
        await lanes.document("bad", "fine boom fine")
    with pytest.raises(RuntimeError, match="boom"):
        await lanes.query("boom")
    assert (await lanes.document("good", "fine")).spans == [(0, 1)]


async def test_a_text_without_passages_is_done_at_once(lanes: Lanes) -> None:
    embedded = await asyncio.wait_for(lanes.document("", ""), 2)
    assert (embedded.spans, embedded.vectors.shape) == ([], (0, DIMENSIONS))


async def test_a_very_long_text_is_cut_and_says_so(fake: FakeModel, lanes: Lanes) -> None:
    fake.go_on(MAX_PASSAGES)
    embedded = await lanes.document("book", "w " * (MAX_PASSAGES + 1))
    assert len(embedded.spans) == MAX_PASSAGES
    assert embedded.truncated


async def test_who_comes_when_too_much_waits_is_sent_away(
    fake: FakeModel, lanes: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "_backlog", 100)
    first = asyncio.create_task(lanes.document("book", "word " * 50))
    await until(lambda: lanes._waiting > 100)
    with pytest.raises(Busy):
        await lanes.document("note", "word")
    first.cancel()
