"""Two real processes of the timetable, one of which is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from schedules import AT_ONCE
from service.queue import connected, scheduler_age
from service.settings import Settings
from service.tasks import RECONCILE

pytestmark = [pytest.mark.faults, pytest.mark.timeout(90)]

LEADER = "dramatiq:__leader__"


@pytest.fixture
async def store(pharos: Settings) -> AsyncIterator[Any]:
    assert pharos.broker_url is not None
    async with connected(), redis.asyncio.Redis.from_url(pharos.broker_url, decode_responses=True) as client:
        yield client


async def changed(store: Any, before: str | None, seconds: float) -> str:
    """Wait for another leader, and return its token."""
    async with asyncio.timeout(seconds):
        while True:
            leader = await store.get(LEADER)
            if leader not in (None, before):
                return leader
            await asyncio.sleep(0.05)


async def test_when_the_leader_is_killed_the_other_goes_on(pharos: Settings, store: Any) -> None:
    command = [str(Path(sys.executable).with_name("periodiq")), "schedules"]
    root = Path(__file__).parents[2]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, cwd=root, env=dict(os.environ), stderr=subprocess.DEVNULL)

    first = start()
    leader = await changed(store, None, 20)
    assert await store.llen(f"dramatiq:{RECONCILE.queue.name}") == len(AT_ONCE)
    second = start()
    try:
        first.kill()
        first.wait()
        await changed(store, leader, 15 + 20)
        age = await scheduler_age()
        assert age is not None
        assert age < 5
    finally:
        second.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(second.wait, 10) == 0
    assert await store.exists(LEADER) == 0
