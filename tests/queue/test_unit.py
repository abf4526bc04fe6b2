"""A worker that has done its share, and a supervisor that does not hear it at once."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from service.queue import Task, actor, send, unit
from service.settings import settings
from tests.queue.conftest import NORMAL, Work, dispatch, until


async def test_a_worn_worker_asks_until_it_is_replaced(
    working: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor that is just starting answers, and does nothing."""
    said: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(orjson.loads(await reader.readline())["do"])
        writer.write(b"{}\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    for name, value in {"YOUNGEST": 0.0, "LOOK": 0.2, "AGAIN": 0.05}.items():
        monkeypatch.setattr(unit, name, value)
    monkeypatch.setenv("PHAROS_SUPERVISOR", str(tmp_path / "control"))
    monkeypatch.setenv("PHAROS_WORKER_TASKS", "1")
    settings.cache_clear()

    @actor(Task("work", NORMAL))
    async def work() -> None: ...

    async with await asyncio.start_unix_server(answer, tmp_path / "control"), working() as engine:
        await send([dispatch(Task("work", NORMAL))])
        await until(lambda: said.count("replace") >= 3)
        more: Any = dispatch(Task("work", NORMAL))
        await send([more])
        await until(lambda: engine.processed == 2)  # it works on until it is told to retire
    assert said[0] == "ready"


@pytest.mark.parametrize(
    ("tasks", "memory", "worn"),
    [("0", "0", False), ("10", "0", True), ("11", "0", False), ("0", "100", True), ("0", "101", False)],
)
def test_tasks_and_memory_wear_out(monkeypatch: pytest.MonkeyPatch, tasks: str, memory: str, worn: bool) -> None:
    monkeypatch.setenv("PHAROS_WORKER_TASKS", tasks)
    monkeypatch.setenv("PHAROS_WORKER_MEMORY_MB", memory)
    settings.cache_clear()
    try:
        assert unit.worn(processed=10, resident=100 << 20) is worn
    finally:
        settings.cache_clear()
