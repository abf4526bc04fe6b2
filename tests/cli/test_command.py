"""The command as a process of its own, against a real server. Waiting for what workers do: tests/journey."""

import asyncio
import json
import re
import shutil
import signal
import sys
from collections import namedtuple
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.cli.api import _local_server as local_server
from service.cli.api import home
from service.cli.shown import plain, snippet
from service.database import transaction
from service.search import actions
from tests.cli.conftest import ROOT, Pharos, start
from tests.queue.conftest import until

pytestmark = pytest.mark.integration
NOTE = {"title": "The lamp", "content": "The keeper lights the lamp.", "language": "en", "tags": ["sea"]}


async def test_what_is_added_is_found_and_shown(pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path) -> None:
    id = (await api.post("/resources", json=NOTE | {"title": "The \x1b[31mlamp"})).json()["id"]
    async with transaction() as session:
        await actions.index(session, id)
    found = await pharos_command("search", "lamp", "--mode", "keyword", "--tag", "sea")
    assert found.status == 0
    assert "The [31mlamp" in found.out
    assert "\x1b" not in found.out  # no colours into a pipe, and none that a title brings along
    assert id in found.out
    assert "1 found" in found.err
    answer = json.loads((await pharos_command("search", "lamp", "--mode", "keyword", "--json")).out)
    assert [item["id"] for item in answer["items"]] == [id]
    shown = await pharos_command("show", id, "--text")
    assert "The keeper lights the lamp." in shown.out
    assert json.loads((await pharos_command("show", id, "--json")).out)["title"] == NOTE["title"].replace(
        "lamp", "\x1b[31mlamp"
    )


async def test_files_and_folders_are_uploaded_once(pharos_command: Pharos, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    (folder / ".hidden").mkdir(parents=True)
    (folder / "a.md").write_text("# A\n\nThe first paper.")
    (folder / "b.txt").write_text("The second paper.")
    (folder / "c.exe").write_bytes(b"MZ")
    (folder / ".hidden" / "d.md").write_text("# D")
    done = await pharos_command("add", "papers")
    assert done.status == 0, done
    assert [line.split("  ")[1:] for line in done.out.splitlines()] == [
        ["added", "papers/a.md"], ["added", "papers/b.txt"],
    ]  # fmt: skip
    assert "skipped papers/c.exe: not a kind that is read" in done.err
    again = json.loads((await pharos_command("add", "papers/a.md", "--json")).out)
    assert [one["duplicate"] for one in again] == [True]


async def test_addresses_come_from_a_pipe_and_those_refused_do_not_stop_others(pharos_command: Pharos) -> None:
    done = await pharos_command("add", "-", given="https://example.org/a\n\nhttp://127.0.0.1/secret\n")
    assert done.status == 1
    assert "added  https://example.org/a" in done.out
    assert "http://127.0.0.1/secret" in done.err
    single = await pharos_command("add", "http://localhost:1/")
    assert single.status == 1
    assert "may not be fetched" in single.err


async def test_the_state_of_the_server_is_told(pharos_command: Pharos, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(1000, 950, 50))
    told = await pharos_command("status")
    assert told.status == 1  # no worker runs here
    assert re.search(r"^ +database +ok", told.out, re.MULTILINE)
    assert re.search(r"^ +workers +wrong .*No worker runs", told.out, re.MULTILINE)
    assert re.search(r"^ +disk +look .*95 % full", told.out, re.MULTILINE)
    answer = json.loads((await pharos_command("status", "--json")).out)
    assert answer["ready"]["checks"]["database"]["ok"] is True


async def test_without_redis_the_state_is_told_all_the_same(
    pharos_command: Pharos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.queue.link.address", lambda: "redis://127.0.0.1:1/0")
    told = await pharos_command("status")
    assert told.status == 1
    assert re.search(r"^ +broker +wrong .*The task queue is away", told.out, re.MULTILINE)
    assert re.search(r"^ +database +ok", told.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "variables", "status", "says"),
    [
        (["search", "lamp"], {"PHAROS_SERVER": "http://127.0.0.1:1"}, 3, "cannot be reached"),
        (["search", "lamp"], {"PHAROS_SERVER": "nonsense"}, 3, "cannot be reached"),
        (["search", "lamp"], {"PHAROS_TOKEN": "wrong"}, 1, "Give a token"),
        (["search", "-lamp-"], {}, 2, "No such option"),
        (["search", "AND"], {}, 1, "no word"),
        (["show", "nonsense"], {}, 1, "nonsense"),
        (["show", "00000000-0000-0000-0000-000000000000"], {}, 1, "There is no resource"),
        (["add", "missing.pdf"], {}, 2, "missing.pdf is no file"),
        (["add", "."], {}, 2, "holds nothing that can be read"),
        (["add", "ftp://example.org/"], {}, 2, "is no file"),
        (["add"], {}, 2, "Missing argument"),
        (["fly"], {}, 2, "No such command"),
    ],
)
async def test_what_is_wrong_is_said_in_words(
    pharos_command: Pharos, arguments: list[str], variables: Mapping[str, str], status: int, says: str
) -> None:
    done = await pharos_command(*arguments, **variables)
    assert done.status == status, done
    assert says in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


async def test_a_person_may_stop_waiting(server: str, api: httpx.AsyncClient, tmp_path: Path) -> None:
    process = await start(server, "add", "https://example.org/", "--wait", cwd=tmp_path)

    async def added() -> Any:
        return (await api.get("/resources")).json()["total"]

    await until(added)
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 130
    assert b"goes on being read" in err
    assert b"Traceback" not in err


def test_texts_of_documents_cannot_steer_a_terminal() -> None:
    assert plain("a\x1b]0;title\x07b\u202ec\x9bd\ne") == "a]0;titlebcd e"
    marked = snippet("one &lt;b&gt; <mark>two\x1b</mark> three")
    assert marked.plain == "one <b> two three"
    assert [(span.start, span.end) for span in marked.spans] == [(8, 11)]


def test_it_finds_the_pharos_of_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "HOST", "PORT"):
        monkeypatch.delenv(f"PHAROS_{name}", raising=False)
    monkeypatch.setattr("service.cli.api.ROOT", tmp_path)
    assert local_server() == "http://127.0.0.1:8000"
    (tmp_path / ".env").write_text("PHAROS_PORT=8471\nPHAROS_HOME=library\n")
    assert (local_server(), home()) == ("http://127.0.0.1:8471", tmp_path / "library")
    (tmp_path / "library" / "run").mkdir(parents=True)
    (tmp_path / "library" / "run" / "env").write_text("PHAROS_PORT=8470\nPHAROS_SUPERVISED=x\n")
    assert local_server() == "http://127.0.0.1:8470"  # it was started with another one than `.env` says
    monkeypatch.setenv("PHAROS_PORT", "8472")
    monkeypatch.setenv("PHAROS_HOME", "elsewhere")
    assert (local_server(), home()) == ("http://127.0.0.1:8472", Path("elsewhere"))


async def test_the_command_starts_without_what_only_servers_need() -> None:
    heavy = {"sqlalchemy", "dramatiq", "starlette", "numpy"}
    code = f"import sys, service.cli.commands; print(*{heavy} & set(sys.modules))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert (process.returncode, out.strip()) == (0, b"")


async def test_events_are_printed_as_they_happen(server: str, api: httpx.AsyncClient, tmp_path: Path) -> None:
    process = await start(server, "events", "tail", "resource.*", "--json", cwd=tmp_path)
    assert process.stdout is not None
    reading = asyncio.create_task(process.stdout.readline())
    try:
        id = ""
        async with asyncio.timeout(30):
            while not reading.done():  # it hears what happens once it listens
                id = (await api.post("/resources", json=NOTE | {"title": f"{id} lamp"})).json()["id"]
                await asyncio.wait([reading], timeout=0.2)
            event = json.loads(await reading)
        assert (event["name"], event["data"]["source"]) == ("resource.created", "content")
    finally:
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 130


async def test_events_need_a_token(server: str, tmp_path: Path) -> None:
    process = await start(server, "events", "tail", cwd=tmp_path, PHAROS_TOKEN="nobody's")
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert b"token" in err
