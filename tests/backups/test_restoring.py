"""A library is backed up, and comes back on an empty machine as it was; or nothing happens, with a reason."""

import asyncio
import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from service import database, storage
from service.app import create_app
from service.backups.archive import AlreadyThere, Damaged, NotABackup
from service.backups.checking import Finding, check
from service.backups.restoring import NotEmpty, OfALaterRelease, StillRunning, restore
from service.backups.taking import NothingThere, take
from service.database import transaction
from service.documents.tables import Document
from service.migrations import migrate
from service.search import executed
from service.search.routes import routes
from service.security.accounts import Account
from service.settings import Settings
from tests.search.conftest import add, index, person

pytestmark = pytest.mark.integration

Empty = Callable[[str], Awaitable[str]]
Move = Callable[[str], None]
WORDS = "lamp reef keeper harbour fog mast tide signal anchor chart wind oil glass stair rope bell".split()
QUERIES = [*WORDS, "lamp reef", '"night 7"', "fog -mast", "har*"]
RESOURCES = 1000
FIRST = hashlib.sha256(b"The bytes of note 0").hexdigest()


async def library(resources: int) -> Account:
    """Make resources that words find, each with a document and its stored original."""
    ada = await person("ada")

    async def one(number: int) -> None:
        words = [WORDS[(number * step + step) % len(WORDS)] for step in (1, 3, 5, 7)]
        id = await add(ada, f"Note {number} of the {words[0]}", f"{' '.join(words)} in night {number}.")
        await index(id)
        await keep(ada, id, f"The bytes of note {number}")

    for first in range(0, resources, 8):
        await asyncio.gather(*(one(number) for number in range(first, min(first + 8, resources))))
    return ada


async def keep(owner: Account, id: UUID, content: str) -> str:
    key = await storage.put(content.encode())
    async with transaction() as session:
        session.add(Document(resource_id=id, owner_id=owner.id, filename="note.txt", size=10, original=key))
    return key


async def searched(who: Account) -> dict[str, Any]:
    """Return what searches find, with scores, facets and snippets."""
    application = Starlette(routes=routes)

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        await application({**scope, "account": who}, receive, send)

    found: dict[str, Any] = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asked), base_url="http://pharos") as client:
        for query in QUERIES:
            answer = await client.get("/search", params={"query": query, "mode": "keyword", "limit": 50})
            assert answer.status_code == 200, answer.text
            found[query] = {name: answer.json()[name] for name in ("total", "items", "facets")}
    executed._waiting.clear()
    assert found["lamp"]["total"] > 0
    return found


async def counts(url: str) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    try:
        names = await connection.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
        return {row["name"]: await connection.fetchval(f'SELECT count(*) FROM "{row["name"]}"') for row in names}
    finally:
        await connection.close()


async def settled() -> None:
    async with transaction() as session:
        await session.execute(text("UPDATE resources SET updated_at = now() - interval '1 day'"))


def kinds(found: list[Finding]) -> dict[str, int]:
    return {one.kind: one.count for one in found}


@pytest.mark.timeout(500)
async def test_a_thousand_resources_come_back_on_an_empty_machine(
    pharos: Settings, tmp_path: Path, empty_database: Empty, elsewhere: Move
) -> None:
    assert pharos.database_url is not None
    ada = await library(RESOURCES)
    await settled()
    before, rows, unfit = await searched(ada), await counts(pharos.database_url), kinds(await check())
    assert rows["documents"] == rows["resources"] == RESOURCES
    file = tmp_path / "library.tar.gz"
    taken = await take(pharos.database_url, file)
    assert (taken.originals, taken.missing) == (RESOURCES, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob(".*")] == []

    empty = await empty_database("machine")
    await database.disconnect()
    elsewhere(empty)
    restored = await restore(empty, file)
    assert (restored.originals, restored.rows) == (RESOURCES, taken.rows)
    assert await counts(empty) == rows
    await database.connect("test", 5, 10)
    assert await searched(ada) == before
    found = kinds(await check())
    assert found == unfit  # nobody has made quality and meaning of these, here and there
    assert not {"references", "originals missing", "originals changed", "search counters", "indexed"} & found.keys()
    async with transaction() as session:  # numbers go on where they were
        await session.execute(text("INSERT INTO search_terms (lexeme, documents) VALUES ('a new word', 0)"))


async def test_a_machine_that_was_only_started_counts_as_empty_and_keeps_its_token(
    pharos: Settings, tmp_path: Path, empty_database: Empty, elsewhere: Move
) -> None:
    assert pharos.database_url is not None
    await library(3)
    file = tmp_path / "library.tar.gz"
    await take(pharos.database_url, file)
    empty = await empty_database("started")
    await database.disconnect()
    elsewhere(empty)
    await migrate(empty)

    async def started() -> int:
        app = create_app()
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://pharos") as client,
        ):
            with pytest.raises(StillRunning):
                await restore(empty, file)
            token = (tmp_path / "elsewhere" / "admin-token").read_text()
            client.headers["Authorization"] = f"Bearer {token}"
            return (await client.get("/resources")).json()["total"]

    assert await started() == 0
    await restore(empty, file)
    assert await started() == 3
    with pytest.raises(NotEmpty, match=r"it has (2 accounts|rows in [a-z_]+)"):
        await restore(empty, file)
    back = await restore(empty, file, force=True)
    assert back.before is not None
    assert back.before.startswith(empty.rpartition("/")[2] + "_before_")
    before = empty.rpartition("/")[0] + "/" + back.before
    assert (await counts(before))["resources"] == 3
    connection = await asyncpg.connect(pharos.database_url)
    await connection.execute(f'DROP DATABASE "{back.before}"')
    await connection.close()
    await database.connect("test", 5, 10)


@pytest.fixture
async def small(pharos: Settings, tmp_path: Path) -> Path:
    """A backup of a few resources."""
    assert pharos.database_url is not None
    await library(4)
    file = tmp_path / "small.tar.gz"
    await take(pharos.database_url, file)
    return file


def rewritten(file: Path, change: Callable[[str, bytes], list[tuple[str, bytes]]]) -> None:
    """Write an archive anew, with other members."""
    packed = gzip.decompress(file.read_bytes())
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(packed)) as old, tarfile.open(fileobj=made, mode="w") as new:
        for info in old:
            content = old.extractfile(info)
            assert content is not None
            for name, data in change(info.name, content.read()):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                new.addfile(member, io.BytesIO(data))
    file.write_bytes(gzip.compress(made.getvalue()))


def edited(part: str, **fields: object) -> Callable[[Path], None]:
    def change(name: str, data: bytes) -> list[tuple[str, bytes]]:
        return [(name, json.dumps(json.loads(data) | fields).encode() if name == part else data)]

    return lambda file: rewritten(file, change)


def cut(share: float) -> Callable[[Path], None]:
    return lambda file: file.write_bytes(file.read_bytes()[: int(file.stat().st_size * share)]) and None


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)


def members(change: Callable[[str, bytes], list[tuple[str, bytes]]]) -> Callable[[Path], None]:
    return lambda file: rewritten(file, change)


WRONG: dict[str, tuple[Callable[[Path], Any], type[Exception], str]] = {
    "no file": (lambda file: file.unlink(), NotABackup, "there is no such file"),
    "text": (lambda file: file.write_text("hello"), NotABackup, "cannot be read"),
    "empty": (lambda file: file.write_bytes(b""), NotABackup, "does not begin|cannot be read"),
    "another archive": (members(lambda n, d: [("etc/passwd", d)]), NotABackup, "does not begin with pharos.json"),
    "another format": (edited("pharos.json", version=2), NotABackup, "version"),
    "a later release": (edited("pharos.json", revision="9999"), OfALaterRelease, "9999"),
    "cut": (cut(0.6), Damaged, "ends too early or was changed"),
    "the last bytes cut": (cut(0.999), Damaged, "ends too early or was changed"),
    "a flipped bit": (flipped, Damaged, "is damaged"),
    "no manifest": (members(lambda n, d: [] if n == "manifest.json" else [(n, d)]), Damaged, "no manifest.json"),
    "other rows": (
        members(lambda n, d: [(n, d.replace(b"night", b"nacht"))]), Damaged, "rows of the table|bytes of the original"
    ),
    "other bytes": (
        members(lambda n, d: [(n, d + b"!" if n.startswith("originals/") else d)]), Damaged, "bytes of the original"
    ),
    "an original too few": (
        members(lambda n, d: [] if n == f"originals/{FIRST}" else [(n, d)]),
        Damaged,
        "3 originals, and should hold 4",
    ),
    "a way out": (
        members(lambda n, d: [(n, d), ("../../out", d)] if n == "pharos.json" else [(n, d)]), Damaged, "which no backup"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_not_a_whole_backup_changes_nothing(
    small: Path, case: str, empty_database: Empty, elsewhere: Move, tmp_path: Path
) -> None:
    spoil, error, words = WRONG[case]
    spoil(small)
    empty = await empty_database("refused")
    elsewhere(empty)
    with pytest.raises(error, match=words):
        await restore(empty, small)
    assert await counts(empty) == {}
    assert not (tmp_path / "elsewhere" / "files").exists()


async def test_what_postgresql_refuses_leaves_nothing(
    small: Path, empty_database: Empty, elsewhere: Move, tmp_path: Path
) -> None:
    """Whole by its hashes, and yet wrong: as another program would make it."""
    hashes: dict[str, str] = {}

    def change(name: str, data: bytes) -> list[tuple[str, bytes]]:
        if name == "tables/documents.copy":
            data = data.replace(b"\tnote.txt\t", b"\tnote.txt\textra\t")
            hashes["documents"] = hashlib.sha256(data).hexdigest()
        if name == "manifest.json":
            manifest = json.loads(data)
            manifest["tables"]["documents"]["sha256"] = hashes["documents"]
            data = json.dumps(manifest).encode()
        return [(name, data)]

    rewritten(small, change)
    empty = await empty_database("refused")
    elsewhere(empty)
    with pytest.raises(Damaged, match="PostgreSQL refuses its rows of documents"):
        await restore(empty, small)
    assert await counts(empty) == {}
    assert list((tmp_path / "elsewhere").rglob("?" * 64)) == []


async def test_a_backup_needs_something_to_hold_and_a_name_of_its_own(
    small: Path, pharos: Settings, empty_database: Empty
) -> None:
    assert pharos.database_url is not None
    with pytest.raises(AlreadyThere):
        await take(pharos.database_url, small)
    with pytest.raises(NothingThere):
        await take(await empty_database("nothing"), small.with_name("other.tar.gz"))
    assert [path.name for path in small.parent.iterdir() if path.is_file()] == ["small.tar.gz"]


async def test_an_original_that_is_gone_is_named(pharos: Settings, tmp_path: Path) -> None:
    assert pharos.database_url is not None
    storage.configured.cache_clear()
    ada = await person("ada")
    key = await keep(ada, await add(ada, "Lost", "It is gone."), "lost")
    await storage.delete(key)
    taken = await take(pharos.database_url, tmp_path / "library.tar.gz")
    assert (taken.originals, taken.missing) == (0, 1)
