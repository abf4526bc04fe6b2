"""Documents whose bytes are in a bucket: the API, a worker and the cleaning with a real S3 server."""

import os
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from service import storage
from service.database import reading
from service.documents import cleaning
from service.documents.tables import Document
from service.queue.engine import Engine
from service.settings import settings
from service.storage.bucket import SENT
from tests.documents.conftest import Upload, prose, reached
from tests.queue.conftest import until
from tests.storage_server import SECRET, StorageServer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def s3() -> Iterator[StorageServer]:
    server = StorageServer()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def bucket(s3: StorageServer, application: object, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket that this Pharos keeps its files in."""
    if s3.process is None:
        s3.start()
    name = s3.make()
    for variable, value in s3.environment(f"s3://{name}/library").items():
        monkeypatch.setenv(variable, value)
    settings.cache_clear()
    storage.configured.cache_clear()
    return name


async def key_of(item: dict[str, str]) -> str:
    async with reading() as session:
        return (await session.get_one(Document, UUID(item["id"]))).original


async def test_a_document_is_added_read_downloaded_and_deleted(
    api: httpx.AsyncClient, worker: Engine, upload: Upload, s3: StorageServer, bucket: str
) -> None:
    text = prose(1)
    item = await upload("keepers.txt", text)
    key = await key_of(item)
    assert s3.names(bucket) == [f"library/{key[:2]}/{key[2:4]}/{key}"]
    await reached(api, item["id"], "ready")
    passages = (await api.get(f"/documents/{item['id']}/passages")).json()
    assert "Keeper 1-0 wrote" in passages["items"][0]["text"]
    answer = await api.get(f"/documents/{item['id']}/download")
    assert (answer.text, answer.headers["content-length"]) == (text, str(len(text)))
    assert (await upload("again.txt", text))["duplicate"] is True
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    assert len(s3.names(bucket)) == 1  # for as long as it can be restored
    assert (await api.delete("/trash")).json() == {"purged": 1}
    await until(lambda: s3.names(bucket) == [])


async def test_pieces_of_a_file_may_reach_different_machines(
    api: httpx.AsyncClient, s3: StorageServer, bucket: str
) -> None:
    body = os.urandom(2 * SENT + 1000)
    made = (await api.post("/uploads", json={"filename": "big.bin", "size": len(body)})).json()
    answer: httpx.Response | None = None
    for at in range(0, len(body), SENT):
        storage.configured.cache_clear()  # another machine knows nothing but the bucket and the database
        assert (await api.head(f"/uploads/{made['upload_id']}")).headers["upload-offset"] == str(at)
        answer = await api.patch(
            f"/uploads/{made['upload_id']}", content=body[at : at + SENT], headers={"Upload-Offset": str(at)}
        )
        assert answer.status_code == 200, answer.text
    assert answer is not None
    document = answer.json()["document"]
    assert (await api.get(f"/documents/{document['id']}/download")).content == body
    key = await key_of(document)
    assert s3.names(bucket) == [f"library/{key[:2]}/{key[2:4]}/{key}"]


async def test_the_cleaning_finds_what_nothing_refers_to(
    api: httpx.AsyncClient, upload: Upload, monkeypatch: pytest.MonkeyPatch, s3: StorageServer, bucket: str
) -> None:
    used = await key_of(await upload("used.txt", "used"))
    unused = await storage.put(b"unused")
    left = (await api.post("/uploads", json={"filename": "left.txt", "size": 10})).json()["upload_id"]
    await api.patch(f"/uploads/{left}", content=b"12345", headers={"Upload-Offset": "0"})
    async with storage.configured().grow("0" * 8 + "-0000-4000-8000-" + "0" * 12) as part:
        await part.write(b"of an upload that no row knows", 0)
    assert await cleaning.drop_unused() == 0  # a day has not passed
    assert await cleaning.drop_expired() == 0
    monkeypatch.setattr(cleaning, "UNUSED", -5)
    assert await cleaning.drop_unused() == 1
    assert await cleaning.drop_expired() == 1
    assert [await storage.exists(key) for key in (used, unused)] == [True, False]
    assert len(s3.names(bucket)) == 2  # the used one, and what came of the upload that is under way


async def test_a_server_that_is_away_is_told_and_nothing_is_lost(
    api: httpx.AsyncClient, upload: Upload, s3: StorageServer
) -> None:
    item = await upload("kept.txt", "kept")
    s3.stop()
    adding = await api.post("/documents", files={"file": ("new.txt", b"new", "text/plain")})
    reading_ = await api.get(f"/documents/{item['id']}/download")
    for answer in (adding, reading_):
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert "cannot be used for files" in answer.json()["detail"]
        assert SECRET not in answer.text
    assert (await api.get("/documents")).json()["total"] == 1
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204  # its bytes are left to the cleaning
    assert (await api.get("/documents")).json()["total"] == 0
