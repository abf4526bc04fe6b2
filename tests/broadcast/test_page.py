"""docs/broadcast.md: its examples run, and its tables are true."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import redis

from service.broadcast import ConsumerGroup, EventConsumer, EventPublisher
from service.broadcast.__main__ import main
from service.broadcast.names import OUTSIDE
from service.broadcast.payloads import PAYLOADS
from tests.broadcast.conftest import Server
from tests.queue.conftest import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "broadcast.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
BY_TYPE, ALL, LOOP, DURABLE, LETTERS, PUBLISH, TASK = EXAMPLES


@contextmanager
def script(text: str, server: Server, output: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run an example as it is, but for where Redis is."""
    text = text.replace("redis://localhost:6379", server.url)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PHAROS_BROKER_URL": server.url, "PYTHONUNBUFFERED": "1"}
    with output.open("wb") as stream:
        running = subprocess.Popen(
            [sys.executable, "-c", text], stdout=stream, stderr=subprocess.STDOUT, env=environment, cwd=output.parent
        )
        try:
            yield running
        finally:
            running.kill()
            running.wait()


async def run(text: str, server: Server, output: Path) -> str:
    with script(text, server, output) as running:
        await until(lambda: running.poll() is not None, 30)
        assert running.returncode == 0, output.read_text()
    return output.read_text()


async def test_the_examples_listen_and_publish(server: Server, store: "redis.Redis", tmp_path: Path) -> None:
    by_type, everything = tmp_path / "by_type", tmp_path / "everything"
    with script(BY_TYPE, server, by_type), script(ALL, server, everything):
        await until(lambda: store.pubsub_numpat() == 1 and len(store.client_list(_type="pubsub")) == 2, 30)
        await run(PUBLISH, server, tmp_path / "publish")
        await until(lambda: everything.read_text().count("\n") == 2 and by_type.read_text())
    events = [orjson.loads(fields[b"event"]) for _, fields in store.xrange(OUTSIDE)]
    assert by_type.read_text() == "Document event: document.uploaded for document doc456\n"
    assert everything.read_text() == "".join(f"Event: {event['name']} - {event['id']}\n" for event in events)
    assert events[0]["data"]["size"] == 1024000
    assert {key: events[1]["data"][key] for key in ("task_id", "status", "progress", "message")} == {
        "task_id": "task789", "status": "processing", "progress": 50, "message": "Processing document...",
    }  # fmt: skip


async def test_the_example_with_an_event_loop(server: Server, store: "redis.Redis", tmp_path: Path) -> None:
    assert await run(LOOP, server, tmp_path / "loop") == "20 questions for user123\n"


async def test_the_durable_example_and_its_dead_letters(
    server: Server, publisher: EventPublisher, store: "redis.Redis", tmp_path: Path
) -> None:
    event_id = publisher.publish_document_processed("u", "d")
    output = tmp_path / "durable"
    with script(DURABLE, server, output):
        await until(lambda: "mail" in (output.read_text() if output.exists() else ""), 30)
    assert output.read_text() == f"mail about {event_id} at attempt 1\n"
    store.xadd(OUTSIDE, {"name": "document.failed", "event": b"poison"})
    consumer = EventConsumer(server.url, group="mailer", patience=0.5)
    consumer.subscribe_to_document_events(lambda event: None)
    async with consumer:
        await until(lambda: consumer.statistics.dead == 1)
    assert "document.failed malformed" in await run(LETTERS, server, tmp_path / "letters")
    assert store.xlen("pharos_events:again:mailer") == 1


async def test_the_example_of_a_task(server: Server, store: "redis.Redis", tmp_path: Path) -> None:
    call = '\nprocess_document_task.fn(document_id="doc456", user_id="user123")\n'
    await run(TASK + call, server, tmp_path / "task")
    failing = TASK.replace("# ... processing logic ...", "raise ValueError('broken')")
    with script(failing + call, server, tmp_path / "failing") as running:
        await until(lambda: running.poll() is not None, 30)
        assert running.returncode == 1
    data = [orjson.loads(fields[b"event"])["data"] for _, fields in store.xrange(OUTSIDE)]
    assert [(one["status"], one["progress"], one["message"]) for one in data] == [
        ("started", 0, None), ("processing", 50, "Processing..."), ("completed", 100, "Document processed!"),
        ("started", 0, None), ("failed", None, "broken"),
    ]  # fmt: skip


def test_the_page_names_each_type_with_its_data() -> None:
    rows = dict(re.findall(r"^\| `([a-z.]+)` \| `([a-z_, ]+)` \|$", PAGE, re.MULTILINE))
    assert {name: set(fields.split(", ")) for name, fields in rows.items()} == {
        name: set(model.model_fields) for name, model in PAYLOADS.items()
    }


def test_the_page_makes_the_users_that_the_embedded_redis_has(server: Server, store: "redis.Redis") -> None:
    for command in re.findall(r"^ACL SETUSER .*$", PAGE, re.MULTILINE):
        user = command.split()[2]
        embedded = store.acl_getuser(user)
        store.execute_command(*command.replace(user, "of_the_page", 1).split())
        made = store.acl_getuser("of_the_page")
        store.acl_deluser("of_the_page")
        assert made["passwords"] != embedded["passwords"]
        assert made | {"passwords": None} == embedded | {"passwords": None}


async def test_the_command_prints_events(
    server: Server, publisher: EventPublisher, store: "redis.Redis", capsys: pytest.CaptureFixture[str]
) -> None:
    printing = asyncio.create_task(
        asyncio.to_thread(main, ["--url", server.url, "tail", "quiz.*", "document.uploaded", "--count", "2"])
    )
    await until(lambda: store.pubsub_numpat() == 1)
    publisher.publish_indexing_started("u", "d")
    publisher.publish_quiz_generated("u", "q", 5)
    publisher.publish_document_uploaded("ada", "d", "a\tb\n.pdf", 1)
    assert await printing == 0
    [quiz, document] = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert quiz[1:] == ["quiz.generated", "u", '{"user_id":"u","quiz_id":"q","questions":5}']
    assert document[1:3] == ["document.uploaded", "ada"]
    assert orjson.loads(document[3])["filename"] == "a\tb\n.pdf"


async def test_the_command_looks_after_dead_letters(
    server: Server, store: "redis.Redis", group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        store.xadd(OUTSIDE, {"name": "quiz.generated", "event": f"poison {number}"})
    consumer = EventConsumer(server.url, group=group, start="oldest")
    consumer.subscribe_to_quiz_events(lambda event: None)
    async with consumer:
        await until(lambda: consumer.statistics.dead == 3)

    def command(*arguments: str) -> tuple[int, list[list[str]]]:
        status = main(["--url", server.url, *arguments])
        return status, [line.split("\t") for line in capsys.readouterr().out.splitlines()]

    status, rows = command("dead", "--group", group)
    assert (status, [row[1:3] for row in rows]) == (0, [["malformed", "1"]] * 3)
    assert [orjson.loads(row[3])[::2] for row in rows] == [["quiz.generated", f"poison {n}"] for n in range(3)]
    assert command("drop", rows[0][0], "--group", group) == (0, [])
    assert command("drop", rows[0][0], "--group", group)[0] == 1
    assert command("retry", rows[1][0], "--group", group) == (0, [])
    assert command("retry", "--group", group) == (0, [["1"]])
    with ConsumerGroup(group, server.url) as known:
        assert known.dead_letters() == []


def test_the_command_says_that_redis_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", "redis://127.0.0.1:1", "dead", "--group", "g"]) == 1
    assert "Connection refused" in capsys.readouterr().err
