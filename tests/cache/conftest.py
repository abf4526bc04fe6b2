"""Caches, each as one process has it, over the suite's Redis; and what tests compute."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import redis.asyncio

from service.cache.cache import Cache, Compute
from service.cache.shared import Fresh
from service.settings import Settings

MakeCache = Callable[[], Awaitable[Cache]]


@pytest.fixture
async def new_cache(pharos: Settings) -> AsyncIterator[MakeCache]:
    """Makes caches, each with a connection of its own, as another process would have one."""
    async with AsyncExitStack() as stack:

        async def make(url: str | None = None) -> Cache:
            made = Cache()
            await made.connect(url or str(pharos.cache_url))
            stack.push_async_callback(made.disconnect)
            return made

        yield make


@pytest.fixture
async def cache(new_cache: MakeCache) -> Cache:
    return await new_cache()


@pytest.fixture
async def redis_client(pharos: Settings) -> AsyncIterator[redis.asyncio.Redis]:
    """The cache's Redis, as somebody else reaches it."""
    async with redis.asyncio.Redis.from_url(str(pharos.cache_url)) as client:
        yield client


class Source:
    """Something that takes its time to be computed, and counts how often it was."""

    def __init__(self, value: Any = "value") -> None:
        self.value, self.computed = value, 0
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def __call__(self) -> Fresh:
        self.computed += 1
        value = self.value
        self.begun.set()
        await self.go_on.wait()
        return Fresh(value)


def always(value: Any) -> Compute:
    """Return a computation of this value."""

    async def compute() -> Fresh:
        return Fresh(value)

    return compute


async def until(condition: Callable[[], Any], seconds: float = 10) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while True:
            met = condition()
            if asyncio.iscoroutine(met):
                met = await met
            if met:
                return
            await asyncio.sleep(0.005)
