import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from service.ingestion import sandbox as module
from service.ingestion.sandbox import NoVerdict, Sandbox
from service.ingestion.verdicts import OUT_OF_MEMORY, Verdict

READER = "tests.ingestion.hostile"
MEGABYTE = 1 << 20


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(most=4, memory=128 * MEGABYTE, seconds=2, reader=READER)
    yield sandbox
    await sandbox.close()


async def says(sandbox: Sandbox, body: bytes) -> bytes:
    answer = await sandbox.run(b"{}", body)
    assert answer.verdict.success
    return bytes(answer.output).partition(b"\n")[2]


def parsers() -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if READER in child.cmdline():
                found.append(child)
    return found


async def until_gone(pids: list[int]) -> None:
    async with asyncio.timeout(10):
        while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            await asyncio.sleep(0.02)


async def test_a_document_goes_in_and_an_answer_comes_out(sandbox: Sandbox) -> None:
    assert await says(sandbox, b"echo hello") == b"hello for {}"


async def test_a_large_document_is_handed_over_whole(sandbox: Sandbox) -> None:
    assert await says(sandbox, bytes(30 * MEGABYTE)) == str(30 * MEGABYTE).encode()


@pytest.mark.parametrize("size", [100_000, 200_000, 220_000, 250_000, 3_000_000])
async def test_an_answer_that_fills_the_socket_is_followed_by_its_verdict(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    receive = sandbox.loop.sock_recv

    async def slowly(line: socket.socket, most: int) -> bytes:
        await asyncio.sleep(0.05)
        return await receive(line, most)

    monkeypatch.setattr(sandbox.loop, "sock_recv", slowly)
    assert await says(sandbox, b"fill %d" % size) == bytes(size)


async def test_each_document_has_a_process_of_its_own_from_one_zygote(sandbox: Sandbox) -> None:
    pids = [int(await says(sandbox, b"pid")) for _ in range(5)]
    assert len(set(pids)) == 5
    assert len(parsers()) == 1
    await until_gone(pids)


async def test_a_parser_that_wants_more_memory_is_stopped(sandbox: Sandbox) -> None:
    answer = await sandbox.run(b"{}", b"eat")
    assert answer.verdict.exit_code == OUT_OF_MEMORY
    assert answer.verdict.memory < 400 * MEGABYTE
    assert await says(sandbox, b"echo next") == b"next for {}"


@pytest.mark.parametrize("body", [b"spin", b"sleep"])
async def test_a_parser_that_takes_too_long_is_killed(sandbox: Sandbox, body: bytes) -> None:
    started = time.monotonic()
    answer = await sandbox.run(b"{}", body)
    assert answer.verdict.expired
    assert time.monotonic() - started < 10
    assert len(parsers()) == 1


async def test_a_parser_that_crashes_is_told_by_its_signal(sandbox: Sandbox) -> None:
    answer = await sandbox.run(b"{}", b"crash")
    assert (answer.verdict.signal, answer.verdict.signal_name) == (signal.SIGSEGV, "SIGSEGV")
    assert bytes(answer.output) == b"document\n"


async def test_a_parser_that_raises_is_told_by_its_exit_code(sandbox: Sandbox) -> None:
    answer = await sandbox.run(b"{}", b"raise")
    assert (answer.verdict.success, answer.verdict.signal_name) == (False, "exit code 1")


async def test_a_parser_cannot_write_files(sandbox: Sandbox, tmp_path: Path) -> None:
    target = tmp_path / "written"
    answer = await sandbox.run(b"{}", b"write " + bytes(target))
    assert not answer.verdict.success
    assert not target.exists() or target.read_bytes() == b""


async def test_a_parser_sees_no_secrets_of_the_worker(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_ADMIN_TOKEN", "secret")
    assert b"PHAROS" not in await says(sandbox, b"environment")


async def test_an_answer_without_end_is_cut(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_ANSWER", 5 * MEGABYTE)
    answer = await sandbox.run(b"{}", b"flood")
    assert (answer.verdict.success, bytes(answer.output)) == (False, b"")


async def test_slow_documents_do_not_hold_up_the_others(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUICK", 0.1)
    slow = [asyncio.create_task(sandbox.run(b"{}", b"sleep")) for _ in range(3)]
    started = time.monotonic()
    await asyncio.gather(*(says(sandbox, b"echo quick") for _ in range(5)))
    assert time.monotonic() - started < 2
    assert not any(task.done() for task in slow)
    assert all(answer.verdict.expired for answer in await asyncio.gather(*slow))


async def test_quick_documents_are_read_one_at_a_time(sandbox: Sandbox) -> None:
    await says(sandbox, b"echo first")
    most = 0
    reading = asyncio.gather(*(says(sandbox, b"pid") for _ in range(20)))
    while not reading.done():
        most = max(most, len(parsers()))
        await asyncio.sleep(0)
    assert len(await reading) == 20
    assert most <= 2


async def test_cancelling_kills_the_parser(sandbox: Sandbox) -> None:
    task = asyncio.create_task(sandbox.run(b"{}", b"sleep"))
    async with asyncio.timeout(10):
        while len(parsers()) < 2:
            await asyncio.sleep(0.01)
    zygote, child = sorted(parser.pid for parser in parsers())
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await until_gone([child])
    assert psutil.pid_exists(zygote)


async def test_a_killed_zygote_is_replaced_and_its_documents_read(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUICK", 0.01)
    await says(sandbox, b"echo first")
    zygote = parsers()[0].pid
    tasks = [asyncio.create_task(sandbox.run(b"{}", b"sleep")) for _ in range(3)]
    async with asyncio.timeout(10):
        while len(parsers()) < 4:
            await asyncio.sleep(0.01)
    before = [parser.pid for parser in parsers()]
    os.kill(zygote, signal.SIGKILL)
    await until_gone(before)
    assert await says(sandbox, b"echo second") == b"second for {}"
    assert [answer.verdict.expired for answer in await asyncio.gather(*tasks)] == [True, True, True]  # begun again
    assert len(parsers()) == 1


async def test_a_zygote_that_never_starts_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOT", Path("/nowhere"))
    sandbox = Sandbox(most=1, memory=MEGABYTE, seconds=1, reader=READER)
    with pytest.raises(NoVerdict):
        await sandbox.run(b"{}", b"echo")


async def test_an_idle_zygote_ends_and_another_starts(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE", 0.05)
    await says(sandbox, b"echo first")
    zygote = parsers()[0].pid
    await until_gone([zygote])
    async with asyncio.timeout(10):
        while psutil.pid_exists(zygote):  # not even a zombie stays
            await asyncio.sleep(0.01)
    assert await says(sandbox, b"echo second") == b"second for {}"


async def test_the_parsers_end_with_the_worker() -> None:
    program = (
        "import asyncio, os, signal\n"
        "from service.ingestion.sandbox import Sandbox\n"
        "async def main():\n"
        f"    sandbox = Sandbox(4, {128 * MEGABYTE}, 60, '{READER}')\n"
        "    print(bytes((await sandbox.run(b'{}', b'pid')).output).split()[1].decode(), flush=True)\n"
        "    print(sandbox._zygote.pid, flush=True)\n"
        "    await sandbox.run(b'{}', b'sleep')\n"
        "asyncio.run(main())\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    with worker.stdout as lines:
        lines.readline()
        zygote = int(lines.readline())
        async with asyncio.timeout(10):
            while not (children := psutil.Process(zygote).children()):
                await asyncio.sleep(0.01)
        worker.kill()
        worker.wait()
    await until_gone([zygote, *(child.pid for child in children)])
    assert len(children) == 1
    assert not children[0].is_running()


def test_a_verdict_is_read_back_from_the_end_of_the_answer() -> None:
    verdict = Verdict(3, 0, True, 5 << 30)
    split = Verdict.split(b"DONE output" + verdict.pack())
    assert split is not None
    assert (bytes(split[0]), split[1]) == (b"DONE output", verdict)
    assert Verdict.split(b"no verdict, but longer than one would be") is None
    assert Verdict.split(b"short") is None
