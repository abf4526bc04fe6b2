"""What a web server does between being told to stop and stopping."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from service import draining


@pytest.fixture
def stops() -> Iterator[list[int]]:
    """What the server's own handler of SIGTERM was called with."""
    called: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: called.append(number))
    yield called
    signal.signal(signal.SIGTERM, before)


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


async def test_the_server_is_stopped_after_a_while(stops: list[int]) -> None:
    with draining.before_the_end(0.2):
        assert draining.headers() == []
        os.kill(os.getpid(), signal.SIGTERM)
        await until(draining.begun)
        assert stops == []
        assert draining.headers() == [(b"connection", b"close")]
        await until(lambda: stops == [signal.SIGTERM])
    assert not draining.begun()


async def test_a_second_signal_stops_it_at_once(stops: list[int]) -> None:
    with draining.before_the_end(3600):
        os.kill(os.getpid(), signal.SIGTERM)
        await until(draining.begun)
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: stops)
        assert stops == [signal.SIGTERM]


async def test_without_a_while_nothing_is_between(stops: list[int]) -> None:
    with draining.before_the_end(0):
        os.kill(os.getpid(), signal.SIGTERM)
        await until(lambda: stops)
        assert not draining.begun()
