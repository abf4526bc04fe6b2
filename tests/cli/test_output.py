"""What every command keeps to: its help, JSON alone on standard output, exit statuses, pipes, terminals."""

import asyncio
import json
import os
import pty
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from sqlalchemy import text
from typer.main import get_command
from typer.testing import CliRunner

from service.cli import library, operating, reading
from service.cli.commands import app
from service.client import models, operations
from service.database import transaction
from service.search import actions
from tests.cli.conftest import ROOT, Pharos, start

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
NOTE = {"title": "The lamp", "content": "The keeper lights the lamp.", "language": "en", "tags": ["sea"]}
NOBODY = "00000000-0000-0000-0000-000000000000"


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    group = group or get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())
EXAMPLES = [
    part.strip()
    for command in COMMANDS.values()
    for line in (command.epilog or "").splitlines()
    for part in line.replace("$(", "| ").replace(")", "").split(" | ")
    if part.strip().startswith("pharos ")
]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_and_takes(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help.split("\n")[0].endswith("."), "one sentence first"
    for one in command.params:
        assert one.help or one.name in ("format", "mode", "colour"), f"{one.name} has no help"
    done = CliRunner().invoke(app, [*path, "--help"])
    assert (done.exit_code, "Usage:" in done.output) == (0, True)


def test_every_example_can_be_said() -> None:
    assert len(EXAMPLES) > 40
    for example in EXAMPLES:
        words = shlex.split(example.split(" > ")[0])[1:]
        path = tuple(words[:2]) if tuple(words[:2]) in COMMANDS else (words[0],)
        given = [word for word in words[len(path) :] if word != "subscriptions.opml"]
        if len(given) == len(words) - len(path):  # a file that exists only in the example is not looked for
            COMMANDS[path].make_context(path[-1], given, resilient_parsing=False).close()


def test_what_may_be_chosen_is_what_the_client_knows() -> None:
    assert set(get_args(library.State)) == set(get_args(models.ResourceState))
    assert set(get_args(library.Operation)) == set(get_args(operations.Operation))
    assert set(get_args(operating.Status)) == set(get_args(models.TaskState))
    assert set(get_args(reading.State)) == set(get_args(models.ReadingState))


async def test_with_json_there_is_json_and_nothing_else(
    pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Everything that can be asked for, in the order in which somebody would."""

    async def asked(*words: str, lines: bool = False, status: int = 0, given: str = "") -> Any:
        done = await pharos_command(*words, "--json", given=given)
        assert done.status == status, (words, done)
        assert "Traceback" not in done.err
        return [json.loads(line) for line in done.out.splitlines()] if lines else json.loads(done.out)

    (tmp_path / "tides.txt").write_text("The moon pulls the sea.")
    (tmp_path / "feeds.opml").write_text('<opml><body><outline xmlUrl="https://example.org/f.xml"/></body></opml>')
    id = (await api.post("/resources", json=NOTE)).json()["id"]
    async with transaction() as session:
        await actions.index(session, id)

    [added] = await asked("add", "tides.txt")
    assert added["duplicate"] is False
    assert (await asked("search", "lamp", "--mode", "keyword"))["items"][0]["id"] == id
    assert {one["id"] for one in await asked("list", lines=True)} == {id, added["id"]}
    assert (await asked("show", id))["steps"][0]["name"] == "stored"
    edited = await asked("edit", id, "--title", "The light", "--add-tag", "new", "--remove-tag", "sea", "--private")
    assert (edited["title"], edited["tags"], edited["private"]) == ("The light", ["new"], True)
    stale = await pharos_command("edit", id, "--title", "x", "--version", "1", "--json")
    assert (stale.status, stale.out) == (1, "")
    assert (await asked("edit", id, "--content", "-", given="Another text.\n"))["content"] == "Another text.\n"
    assert (await asked("tags", lines=True))[0]["tag"] == "new"
    assert isinstance(await asked("similar", id, lines=True), list)
    async with transaction() as session:
        await actions.index(session, id)
    assert (await asked("watch", id, lines=True))[0]["name"] == "stored"
    task = (await asked("batch", "reindex", "-", given=f"{id}\n"))["task_id"]

    light = await asked("collections", "create", "Light", "--visibility", "shared")
    assert (await asked("collections", "add", "Light", id))["resource_count"] == 1
    assert (await asked("collections", "edit", "Light", "--description", "Lamps"))["description"] == "Lamps"
    assert [one["id"] for one in await asked("collections", "list", lines=True)] == [light["id"]]
    assert (await asked("collections", "show", "Light"))["items"][0]["id"] == id

    mark = await asked("annotations", "add", id, "Another", "--note", "why?")
    assert (await asked("annotations", "edit", mark["id"], "--colour", "green"))["colour"] == "green"
    assert len(await asked("annotations", "list", "--resource", id, lines=True)) == 1
    saved = await asked("searches", "save", "Lamps", "lamp")
    assert (await asked("searches", "list", lines=True))[0]["id"] == saved["id"]
    assert (await asked("searches", "run", saved["id"]))["query"] == "lamp"

    feed = await asked("feeds", "follow", "https://example.org/feed.xml", "--title", "News")
    assert (await asked("feeds", "edit", feed["id"], "--pause"))["paused"] is True
    assert (await asked("feeds", "import", "feeds.opml"))["added"] == 1
    assert len(await asked("feeds", "list", lines=True)) == 2
    assert await asked("feeds", "entries", feed["id"], lines=True) == []
    assert (await asked("feeds", "refresh", feed["id"]))["id"] == feed["id"]

    hook = await asked("webhooks", "add", "https://example.org/hook", "resource.*")
    assert (await asked("webhooks", "edit", hook["id"], "--disable"))["enabled"] is False
    assert (await asked("webhooks", "edit", hook["id"], "--enable"))["enabled"] is True
    assert "secret" not in (await asked("webhooks", "list", lines=True))[0]
    delivery = (await asked("webhooks", "test", hook["id"]))["delivery_id"]
    assert delivery in {one["id"] for one in await asked("webhooks", "deliveries", hook["id"], lines=True)}
    async with transaction() as session:
        await session.execute(text("UPDATE webhook_deliveries SET status = 'failed'"))
    assert (await asked("webhooks", "retry", delivery))["status"] == "waiting"

    assert (await asked("tasks", "show", task))["name"] == "batch_process_resources"
    assert task in {one["task_id"] for one in await asked("tasks", "list", "--limit", "100", lines=True)}
    assert (await asked("tasks", "cancel", task))["status"] == "cancelled"
    assert await asked("dlq", "list", lines=True) == []
    assert (await asked("dlq", "retry", "--all"))["retried"] == 0
    assert (await asked("dlq", "discard", "--all", "--yes"))["discarded"] == 0
    refused = await asked("dlq", "retry", NOBODY, lines=True, status=1)
    assert (refused[0]["status"], NOBODY in refused[0]["error"]) == ("failed", True)
    assert (await asked("status", status=1))["ready"]["checks"]["database"]["ok"] is True
    assert {one["name"] for one in await asked("events", "history", lines=True)} >= {"resource.created"}

    assert (await asked("users", "me"))["role"] == "admin"
    ada = await asked("users", "add", "ada", "--role", "editor", "--password-stdin", given="a light on the water\n")
    assert (await asked("users", "edit", "ada", "--disable"))["disabled"] is True
    assert ada["id"] in {one["id"] for one in await asked("users", "list", lines=True)}
    invitation = await asked("users", "invite", "--days", "1")
    assert [one["id"] for one in await asked("users", "invitations", lines=True)] == [invitation["id"]]
    token = await asked("tokens", "create", "a program", "--scope", "read", "--days", "2")
    assert token["token"].startswith("pharos_")
    assert token["id"] in {one["id"] for one in await asked("tokens", "list", lines=True)}

    [imported] = await asked("import", "feeds.opml")
    assert imported["id"] in {one["id"] for one in await asked("imports", "list", lines=True)}
    assert (await asked("imports", "show", imported["id"]))["state"] == "pending"
    assert (await asked("imports", "cancel", imported["id"]))["state"] == "cancelled"
    assert await asked("imports", "errors", imported["id"], lines=True) == []
    nothing = await pharos_command("imports", "retry", imported["id"])
    assert (nothing.status, "Nothing of this import failed" in nothing.err) == (1, True)
    assert (await pharos_command("imports", "forget", imported["id"])).status == 0
    for silent in (
        ("tokens", "revoke", token["id"], "--yes"), ("users", "withdraw", invitation["id"]),
        ("webhooks", "delete", hook["id"]), ("feeds", "leave", feed["id"]), ("searches", "delete", saved["id"]),
        ("annotations", "delete", mark["id"]), ("collections", "remove", "Light", id),
        ("collections", "delete", "Light", "--yes"),
    ):  # fmt: skip
        done = await pharos_command(*silent)
        assert (done.status, done.out) == (0, ""), (silent, done)
    deleted = await asked("delete", "-", "--yes", lines=True, status=1, given=f"{id}\n{NOBODY}\n")
    assert [one["status"] for one in deleted] == ["deleted", "failed"]


async def test_what_was_deleted_is_there_twice_or_is_read_with_json(
    pharos_command: Pharos, api: httpx.AsyncClient
) -> None:
    async def asked(*words: str, status: int = 0, given: str = "") -> Any:
        done = await pharos_command(*words, "--json", given=given)
        assert done.status == status, (words, done)
        return json.loads(done.out)

    async def lines(*words: str, status: int = 0, given: str = "") -> list[Any]:
        done = await pharos_command(*words, "--json", given=given)
        assert done.status == status, (words, done)
        return [json.loads(line) for line in done.out.splitlines()]

    kept, twin, third = [(await api.post("/resources", json=NOTE)).json()["id"] for _ in range(3)]
    assert await asked("reading", "add", "-", given=f"{kept}\n{twin}\n") == {"count": 2}
    assert [(one["resource_id"], one["state"]) for one in await lines("reading", "list", "--limit", "1")] == [
        (max(kept, twin), "unread")
    ]
    placed = await asked("reading", "keep", twin, "--progress", "0.4")
    assert (placed["state"], placed["progress"]) == ("reading", 0.4)
    assert await asked("reading", "show", twin) == placed
    assert [one["resource_id"] for one in await lines("reading", "list", "--state", "reading")] == [twin]
    told = await pharos_command("reading", "list")
    assert f"{twin}  reading  40%  1 min  The lamp" in told.out
    removed = await lines("reading", "remove", kept, NOBODY, status=1)
    assert [one["status"] for one in removed] == ["removed", "failed"]

    [group] = await lines("duplicates", "list")
    assert (group["reasons"], {one["id"] for one in group["items"]}) == (["text"], {kept, twin, third})
    assert f"{kept}  The lamp" in (await pharos_command("duplicates", "list")).out
    said = await asked("duplicates", "separate", kept, twin, third)
    assert await lines("duplicates", "list") == []
    assert [one["id"] for one in await lines("duplicates", "separations")] == [said["id"]]
    assert (await pharos_command("duplicates", "rejoin", said["id"])).status == 0
    assert len(await lines("duplicates", "list")) == 1
    assert (await asked("duplicates", "merge", kept, twin, "--yes"))["id"] == kept
    [gone] = await lines("trash", "list")
    assert (gone["id"], gone["title"]) == (twin, "The lamp")
    assert twin in (await pharos_command("trash", "list")).out
    refused = await lines("trash", "restore", "-", status=1, given=f"{twin}\n{NOBODY}\n")
    assert [one["status"] for one in refused] == ["restored", "failed"]
    assert (await api.get(f"/resources/{twin}")).status_code == 200
    for id in (twin, third):
        await lines("delete", id, "--yes")
    assert [one["status"] for one in await lines("trash", "purge", twin, "--yes")] == ["purged"]
    assert await asked("trash", "purge", "--all", "--yes") == {"purged": 1}
    assert (await pharos_command("trash", "list", "--json")).out == ""


async def test_files_come_down_and_the_rest_of_what_has_no_json(
    pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    (tmp_path / "tides.txt").write_text("The moon pulls the sea.")
    await pharos_command("add", "tides.txt")
    [document] = (await api.get("/documents")).json()["items"]
    assert (await pharos_command("download", document["id"])).out == "The moon pulls the sea."
    assert (await pharos_command("download", document["id"], "-o", "again.txt")).out == ""
    assert (tmp_path / "again.txt").read_text() == "The moon pulls the sea."
    assert "<opml" in (await pharos_command("feeds", "export")).out
    assert (await pharos_command("annotations", "export")).status == 0
    secret = await pharos_command("tokens", "create", "shell")
    assert secret.out.strip().startswith("pharos_")
    assert len(secret.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["delete", NOBODY], 2, "say --yes"),
        (["delete", "-", "--yes"], 2, "standard input is empty"),
        (["trash", "purge", NOBODY], 2, "say --yes"),
        (["trash", "purge", "--yes"], 2, "Say which"),
        (["trash", "purge", NOBODY, "--all", "--yes"], 2, "Say which"),
        (["trash", "restore", NOBODY], 1, NOBODY),
        (["duplicates", "merge", NOBODY, NOBODY], 2, "say --yes"),
        (["duplicates", "merge", NOBODY, NOBODY, "--yes"], 1, "merged into itself"),
        (["reading", "keep", NOBODY], 2, "Nothing is to be changed"),
        (["reading", "keep", NOBODY, "--progress", "2"], 2, "progress"),
        (["edit", NOBODY], 2, "Nothing is to be changed"),
        (["dlq", "discard", "--yes"], 2, "Say which"),
        (["collections", "show", "Nothing"], 1, "There is no collection of the name Nothing"),
        (["users", "add", "b"], 2, "--password-stdin"),
        (["users", "edit", "nobody", "--disable"], 1, "There is no user nobody"),
        (["tasks", "show", NOBODY], 1, NOBODY),
        (["imports", "show", "nonsense"], 1, "nonsense"),
        (["import", "missing.html"], 2, "is no file and no folder"),
        (["tokens", "create", "a", "--scope", "everything"], 1, "scopes"),
        (["batch", "fly", NOBODY], 2, "fly"),
        (["list", "--limit", "0"], 2, "limit"),
        (["edit", NOBODY, "--content", "missing.txt"], 2, "cannot be read"),
    ],
)
async def test_what_is_wrong_is_said_in_a_line(
    pharos_command: Pharos, words: list[str], status: int, says: str
) -> None:
    done = await pharos_command(*words)
    assert (done.status, done.out) == (status, ""), done
    assert says in done.err
    assert "Traceback" not in done.err


async def test_a_mistake_of_ours_or_of_the_surroundings_is_a_line_as_well(pharos_command: Pharos) -> None:
    done = await pharos_command("status", PHAROS_SERVER="", PHAROS_PORT="nonsense")
    assert (done.status, done.out, "Traceback" in done.err) == (1, "", False)
    assert "pharos failed" in done.err


async def test_who_has_read_enough_ends_it_quietly(server: str, api: httpx.AsyncClient, tmp_path: Path) -> None:
    for number in range(30):
        await api.post("/resources", json=NOTE | {"title": f"Lamp {number}", "content": "x" * 20_000})
    for words in (["export", "--text"], ["list", "--json"], ["list"]):
        process = await start(server, *words, cwd=tmp_path)
        assert process.stdout is not None
        process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined] # as `head` does
        assert process.stderr is not None
        err = await asyncio.wait_for(process.stderr.read(), 30)
        assert (await process.wait(), err) == (141, b""), words


async def test_an_interrupt_ends_what_waits(server: str, api: httpx.AsyncClient, tmp_path: Path) -> None:
    id = (await api.post("/resources", json=NOTE)).json()["id"]  # which nobody indexes
    process = await start(server, "watch", id, "--json", cwd=tmp_path)
    assert process.stdout is not None
    assert json.loads(await asyncio.wait_for(process.stdout.readline(), 30))["name"] == "stored"
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, out, err) == (130, b"", b"")


async def on_terminal(server: str, *words: str, cwd: Path, **variables: str) -> str:
    """Run a command whose output and errors are a terminal, and return what is written to it."""
    main, other = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHAROS_", "NO_COLOR"))}
    ours = {"TERM": "xterm", "PYTHONPATH": str(ROOT), "PHAROS_SERVER": server, "PHAROS_TOKEN": "token of the admin"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service.cli", *words, cwd=cwd, stdin=other, stdout=other, stderr=other,
        env=kept | ours | variables,
    )  # fmt: skip
    os.close(other)
    written = b""
    while True:
        try:
            piece = await asyncio.to_thread(os.read, main, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        written += piece
    await process.wait()
    os.close(main)
    return written.decode()


async def test_colours_are_for_terminals_and_not_for_who_wants_none(
    server: str, pharos_command: Pharos, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    id = (await api.post("/resources", json=NOTE)).json()["id"]
    assert "\x1b[1m" in await on_terminal(server, "show", id, cwd=tmp_path)
    assert "\x1b[3" not in await on_terminal(server, "status", cwd=tmp_path, NO_COLOR="1")
    assert "\x1b[32m" in (coloured := await on_terminal(server, "status", cwd=tmp_path)) or "\x1b[1;31m" in coloured
    assert "\x1b" not in (await pharos_command("show", id)).out
    on = await on_terminal(server, "show", id, "--json", cwd=tmp_path)
    assert json.loads(on)["id"] == id
