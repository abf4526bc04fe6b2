"""Files that come in pieces: whole in the end, whatever breaks on the way."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from starlette.requests import ClientDisconnect

from service import storage
from service.database import transaction
from service.documents import cleaning, parts, uploads
from service.security.accounts import Account
from service.security.permissions import ROLES
from tests.documents.conftest import Upload

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
BODY = bytes(range(256)) * 1000
SHA = hashlib.sha256(BODY).hexdigest()


async def announce(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post("/uploads", json={"filename": "big.txt", "size": len(BODY)} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def send(api: httpx.AsyncClient, id: str, offset: int, body: bytes) -> httpx.Response:
    return await api.patch(f"/uploads/{id}", content=body, headers={"Upload-Offset": str(offset)})


async def offset_of(api: httpx.AsyncClient, id: str) -> int:
    answer = await api.head(f"/uploads/{id}")
    assert answer.status_code == 200
    assert answer.content == b""
    return int(answer.headers["upload-offset"])


async def account_of(api: httpx.AsyncClient) -> Account:
    me = (await api.get("/users/me")).json()
    return Account(UUID(me["id"]), me["username"], "admin", ROLES["admin"])


async def test_pieces_become_one_document(api: httpx.AsyncClient) -> None:
    made = await announce(api, sha256=SHA, subject="Optics", category="scans", type="text/plain")
    assert (made["offset"], made["size"], made["chunk_size"] > 0) == (0, len(BODY), True)
    for at in range(0, len(BODY), 100_000):
        assert await offset_of(api, made["upload_id"]) == at
        answer = await send(api, made["upload_id"], at, BODY[at : at + 100_000])
        assert answer.status_code == 200, answer.text
    done = answer.json()
    assert done["offset"] == len(BODY)
    document = (await api.get(f"/documents/{done['document']['id']}")).json()
    assert (document["filename"], document["subject"], document["category"]) == ("big.txt", "Optics", "scans")
    assert (await api.get(f"/documents/{document['id']}/download")).content == BODY
    assert not storage.configured().part(made["upload_id"]).exists()
    assert (await send(api, made["upload_id"], len(BODY), b"")).json() == done  # its answer was lost


async def test_a_wrong_offset_is_told_the_right_one(api: httpx.AsyncClient) -> None:
    id = (await announce(api))["upload_id"]
    await send(api, id, 0, BODY[:1000])
    for wrong in (0, 999, 1001):
        answer = await send(api, id, wrong, BODY[wrong:2000])
        assert (answer.status_code, answer.headers["upload-offset"]) == (409, "1000")
    assert (await send(api, id, 1000, BODY[1000:])).json()["document"]["duplicate"] is False


async def test_the_same_file_again_names_the_first(api: httpx.AsyncClient, upload: Upload) -> None:
    first = await upload("first.txt", BODY)
    id = (await announce(api))["upload_id"]
    document = (await send(api, id, 0, BODY)).json()["document"]
    assert (document["duplicate"], document["id"], document["filename"]) == (True, first["id"], "first.txt")


async def test_what_came_before_a_break_is_kept(api: httpx.AsyncClient) -> None:
    id = UUID((await announce(api))["upload_id"])

    async def breaking() -> AsyncIterator[bytes]:
        yield BODY[:1234]
        raise ClientDisconnect

    with pytest.raises(ClientDisconnect):
        await uploads.append(await account_of(api), id, 0, breaking())
    assert await offset_of(api, str(id)) == 1234
    assert (await send(api, str(id), 1234, BODY[1234:])).json()["document"]


async def test_bytes_that_no_row_knows_of_are_written_again(api: httpx.AsyncClient) -> None:
    """The server died between the bytes and the row."""
    id = (await announce(api, sha256=SHA))["upload_id"]
    await send(api, id, 0, BODY[:1000])
    with storage.configured().part(id).open("ab") as file:
        file.write(b"x" * 500)
    assert await offset_of(api, id) == 1000
    assert (await send(api, id, 1000, BODY[1000:])).json()["document"]


async def test_a_server_that_died_before_the_document_goes_on(api: httpx.AsyncClient) -> None:
    id = (await announce(api))["upload_id"]
    await send(api, id, 0, BODY[:-1])
    with storage.configured().part(id).open("ab") as file:
        file.write(BODY[-1:])
    async with transaction() as session:
        await session.execute(text("UPDATE uploads SET received = size"))
    assert (await send(api, id, len(BODY), b"")).json()["document"]["filename"] == "big.txt"


async def test_a_lost_part_begins_anew(api: httpx.AsyncClient) -> None:
    id = (await announce(api))["upload_id"]
    await send(api, id, 0, BODY[:1000])
    storage.configured().part(id).unlink()
    answer = await send(api, id, 1000, BODY[1000:])
    assert (answer.status_code, answer.headers["upload-offset"]) == (409, "0")
    assert (await send(api, id, 0, BODY)).json()["document"]


async def test_two_at_once_do_not_mix(api: httpx.AsyncClient) -> None:
    id = (await announce(api))["upload_id"]
    async with parts.locked(UUID(id)):
        answer = await send(api, id, 0, BODY)
        assert answer.status_code == 409
    answers = await asyncio.gather(*(send(api, id, 0, BODY) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    document = next(answer.json()["document"] for answer in answers if answer.status_code == 200)
    assert (await api.get(f"/documents/{document['id']}/download")).content == BODY


async def test_what_was_not_announced_is_refused(api: httpx.AsyncClient) -> None:
    id = (await announce(api, size=100))["upload_id"]
    assert (await send(api, id, 0, BODY[:101])).status_code == 413
    assert await offset_of(api, id) == 0
    wrong = (await announce(api, sha256="0" * 64))["upload_id"]
    answer = await send(api, wrong, 0, BODY)
    assert (answer.status_code, SHA in answer.json()["detail"]) == (422, True)
    assert (await api.get(f"/uploads/{wrong}")).status_code == 404
    assert not await storage.exists(SHA)
    assert (await api.get("/documents")).json()["total"] == 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"size": 0}, 422), ({"size": 2**40}, 413), ({"filename": "../x"}, 422), ({"filename": ""}, 422),
     ({"sha256": "x"}, 422), ({"more": 1}, 422), ({"subject": "\n"}, 422)],
)  # fmt: skip
async def test_what_is_no_announcement_is_refused(api: httpx.AsyncClient, fields: dict[str, Any], status: int) -> None:
    assert (await api.post("/uploads", json={"filename": "a.txt", "size": 1} | fields)).status_code == status


@pytest.mark.parametrize("offset", [None, "", "-1", "1.5", "x", "9" * 30])
async def test_an_offset_is_a_number(api: httpx.AsyncClient, offset: str | None) -> None:
    id = (await announce(api))["upload_id"]
    headers = {} if offset is None else {"Upload-Offset": offset}
    assert (await api.patch(f"/uploads/{id}", content=b"x", headers=headers)).status_code == 422


async def test_nobody_reaches_the_upload_of_another(api: httpx.AsyncClient, person: Person) -> None:
    id = (await announce(api))["upload_id"]
    ada = await person("ada")
    assert (await ada.get(f"/uploads/{id}")).status_code == 404
    assert (await send(ada, id, 0, BODY)).status_code == 404
    assert (await ada.delete(f"/uploads/{id}")).status_code == 404
    assert (await send(ada, str(uuid4()), 0, b"")).status_code == 404


async def test_an_account_has_only_so_many_on_their_way(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST", 2)
    first = await announce(api)
    await announce(api)
    assert (await api.post("/uploads", json={"filename": "a.txt", "size": 1})).status_code == 409
    await send(api, first["upload_id"], 0, BODY)
    await announce(api)


async def test_what_expired_is_cleaned_away(api: httpx.AsyncClient) -> None:
    old, new = (await announce(api))["upload_id"], (await announce(api))["upload_id"]
    for id in (old, new):
        await send(api, id, 0, BODY[:10])
    async with transaction() as session:
        await session.execute(
            text("UPDATE uploads SET expires_at = now() - interval '1 s' WHERE id = :id"), {"id": UUID(old)}
        )
    assert (await api.get(f"/uploads/{old}")).status_code == 404
    assert await cleaning.drop_expired() == 1
    assert not storage.configured().part(old).exists()
    assert await offset_of(api, new) == 10
