"""The model server as its clients see it: a real process, its socket, its death."""

import asyncio
import resource
import signal
import stat
import struct
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import psutil
import pytest

from service import inference
from service.inference import InferenceAway, InferenceOutage, embed_passages, embed_query
from tests.model_server import ROOT, ModelServer, forget_vectors

TEXT = "The keeper climbs the stairs.\nHe lights the lamp – every évening. 灯台。 " * 40


def cosine(a: bytes, b: bytes) -> float:
    return sum(x * y for x, y in zip(struct.unpack("384f", a), struct.unpack("384f", b), strict=True))


async def test_a_query_and_the_passage_that_answers_it_are_near(server: ModelServer) -> None:
    query = await embed_query("who lights the lamp?")
    embedded = await embed_passages("Lighthouses", TEXT)
    assert len(query) == 4 * inference.DIMENSIONS
    assert max(cosine(query, passage.vector) for passage in embedded.passages) > 0.4
    assert embedded.mean is not None
    assert cosine(embedded.mean, embedded.mean) == pytest.approx(1, abs=1e-4)


async def test_passages_say_where_they_stand(server: ModelServer) -> None:
    embedded = await embed_passages("Lighthouses", TEXT)
    assert [passage.ordinal for passage in embedded.passages] == list(range(len(embedded.passages)))
    assert all(passage.text == TEXT[passage.start : passage.end] for passage in embedded.passages)
    assert not embedded.truncated


async def test_nothing_to_read_is_no_passage(server: ModelServer) -> None:
    assert await embed_passages("", " \n ") == inference.Embedded([], None, truncated=False)


async def test_a_text_beyond_the_limit_is_cut_and_says_so(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "TEXT_LIMIT", 100)
    embedded = await embed_passages("Lighthouses", TEXT)
    assert embedded.truncated
    assert embedded.passages[-1].end <= 100


async def test_a_vector_is_asked_for_once(mortal: ModelServer) -> None:
    first = await embed_query("a lighthouse")
    mortal.stop(signal.SIGKILL)
    assert await embed_query("  a   lighthouse ") == first


async def test_only_the_owner_may_connect(server: ModelServer) -> None:
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700


async def test_without_a_server_it_is_an_outage(socket: Path) -> None:
    with pytest.raises(InferenceOutage, match="No such file"):
        await embed_query("a lighthouse")
    with pytest.raises(InferenceOutage, match="search goes by words alone"):
        await embed_passages("Lighthouses", TEXT)


def ended() -> float:
    """Return the seconds of the processor that children had which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def test_a_stop_is_quick_even_with_work(mortal: ModelServer) -> None:
    work = asyncio.create_task(embed_passages("Book", TEXT * 50))
    await embed_query("warm")
    assert mortal.process is not None
    others, before = ended(), psutil.Process(mortal.process.pid).cpu_times()
    assert mortal.stop() == 0
    # Of the processor, as what else the machine does is not the server's; `stop` bounds the time on the clock.
    assert ended() - others - before.user - before.system < 1
    with pytest.raises(InferenceAway, match="the connection ended"):
        await work
    assert not mortal.socket.exists()


async def test_after_a_restart_clients_go_on(mortal: ModelServer) -> None:
    await embed_query("before")
    mortal.stop(signal.SIGKILL)
    mortal.socket.unlink()
    await mortal.start()
    assert await embed_query("after")


async def test_what_a_killed_server_left_is_no_obstacle(mortal: ModelServer) -> None:
    mortal.stop(signal.SIGKILL)
    assert mortal.socket.is_socket()
    again = ModelServer(mortal.socket)
    await again.start()
    async with asyncio.timeout(20):
        while True:
            forget_vectors()
            try:
                assert await embed_query("a lighthouse")
                break
            except InferenceOutage:
                await asyncio.sleep(0.05)
    assert again.stop() == 0


async def test_a_second_server_says_so_and_ends(server: ModelServer) -> None:
    second = subprocess.run([sys.executable, "-m", "workers.inference"], cwd=ROOT, capture_output=True, text=True)
    assert second.returncode == 1
    assert "A model server is running on" in second.stderr
    assert await embed_query("still there")


async def test_one_query_waits_for_a_frozen_server_and_the_next_do_not(
    mortal: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "QUERY_TIMEOUT", 0.2)
    await embed_query("warm")
    mortal.send(signal.SIGSTOP)
    with pytest.raises(InferenceOutage, match=r"no answer within 0\.2 s"):
        await embed_query("first")
    began = perf_counter()
    with pytest.raises(InferenceOutage, match="a moment ago"):
        await embed_query("second")
    assert perf_counter() - began < 0.05


async def test_another_model_is_an_outage(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "MODEL", "another/1")
    with pytest.raises(InferenceOutage, match="this process wants another/1: restart it"):
        await embed_query("a lighthouse")


async def test_a_call_that_is_cancelled_closes_its_connection(server: ModelServer) -> None:
    work = asyncio.create_task(embed_passages("Book", TEXT * 50))
    await embed_query("meanwhile")
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert len(inference._idle) == 1
    assert (await embed_passages("Note", "A note.")).passages[0].text == "A note."


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (inference.pack({"call": "sing"}), b"unknown call 'sing'"),
        (inference.pack({"call": "passages"}), b"unknown call 'passages'"),
        (inference.FRAME.pack(2, 0) + b"[}", b"JSONDecodeError"),
        (inference.FRAME.pack(16, 1) + b'{"call":"query"}' + b"\xff", b"UnicodeDecodeError"),
        (inference.FRAME.pack(2**31, 0), b"too large"),
    ],
    ids=["unknown call", "field missing", "no JSON", "no UTF-8", "too large"],
)
async def test_a_bad_frame_gets_an_answer(server: ModelServer, frame: bytes, answer: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(server.socket)
    writer.write(frame)
    head, _ = inference.FRAME.unpack(await asyncio.wait_for(reader.readexactly(8), 5))
    assert answer in await reader.readexactly(head)
    writer.close()
    assert await embed_query("still there")


def test_the_client_loads_no_model_library() -> None:
    code = "import sys, service.inference; print({'numpy', 'onnxruntime', 'tokenizers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
