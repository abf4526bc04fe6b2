"""What does not run on the event loop: functions in threads, computations in processes."""

import os
import threading
import time
from pathlib import Path

import psutil

from service.events import current_origin
from service.queue import Task, actor, in_process, send, task_state
from tests.queue.conftest import NORMAL, Work, dispatch, letters, until


def square(n: int) -> tuple[int, int]:
    """Return the square, and the process that found it."""
    return n * n, os.getpid()


def spin(note: str) -> None:
    """Say which process this is, and compute for ever."""
    Path(note).write_text(str(os.getpid()))
    while True:
        sum(range(10_000))


async def test_a_function_that_is_no_coroutine_runs_in_a_thread_with_its_origin(working: Work) -> None:
    task, seen = Task("plain", NORMAL), list[tuple[bool, str]]()

    @actor(task)
    def work(n: int) -> int:
        seen.append((threading.current_thread() is threading.main_thread(), current_origin().correlation_id))
        return n + 1

    sent = dispatch(task, n="4", correlation_id="abc")
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1)
    state = await task_state(sent.message_id)
    assert state is not None
    assert (state.result, seen) == (5, [(False, "abc")])


async def test_a_computation_runs_in_another_process_and_the_loop_goes_on(working: Work) -> None:
    task = Task("compute", NORMAL)

    @actor(task)
    async def work(n: int) -> list[int]:
        return [*await in_process(square, n)]

    sent = dispatch(task, n=12)
    async with working() as engine:
        await send([sent])
        await until(lambda: engine.processed == 1, 20)
    state = await task_state(sent.message_id)
    assert state is not None
    assert state.result[0] == 144
    assert state.result[1] != os.getpid()


async def test_a_computation_ends_with_the_limit_of_its_task(working: Work, tmp_path: Path) -> None:
    task, note = Task("spin", NORMAL, retries=0, soft=2), tmp_path / "pid"

    @actor(task)
    async def work() -> None:
        await in_process(spin, str(note))

    async with working() as engine:
        await send([dispatch(task)])
        pid = int(await until(lambda: note.exists() and note.read_text(), 20))
        began = time.monotonic()
        await until(lambda: engine.processed == 1)
        assert time.monotonic() - began < 5
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert [letter.exception.partition(":")[0] for letter in await letters()] == ["TimeLimitExceeded"]
