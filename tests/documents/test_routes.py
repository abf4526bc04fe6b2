"""Uploads over HTTP; reading them is the workers' part, which the journey tests show."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import httpx
import pytest

from service.database import reading
from service.ingestion.tables import Ingestion

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
FILE = ("lamp.txt", b"A lamp in a file.", "text/plain")


async def test_bytes_and_rows_are_there_before_the_answer(api: httpx.AsyncClient) -> None:
    answer = await api.post("/documents", files={"file": FILE}, data={"subject": "optics"})
    assert answer.status_code == 202, answer.text
    (item,) = answer.json()["items"]
    assert (item["filename"], item["status"], item["duplicate"]) == ("lamp.txt", "uploaded", False)
    document = (await api.get(f"/documents/{item['id']}")).json()
    assert (document["status"], document["subject"], document["size"]) == ("uploaded", "optics", len(FILE[1]))
    assert (await api.get(f"/documents/{item['id']}/status")).json()["waiting_for"] == "It waits for a free worker."
    assert (await api.get(f"/documents/{item['id']}/download")).content == FILE[1]
    assert (await api.get(f"/resources/{item['resource_id']}")).json()["subjects"] == ["optics"]


async def test_the_same_bytes_are_one_document(api: httpx.AsyncClient) -> None:
    first, again = [(await api.post("/documents", files={"file": FILE})).json()["items"][0] for _ in range(2)]
    assert (again["id"], again["task_id"], again["duplicate"]) == (first["id"], first["task_id"], True)


async def test_files_that_are_sent_one_by_one_can_belong_together(api: httpx.AsyncClient) -> None:
    batch = uuid4()
    answer = await api.post("/documents", files={"file": FILE}, data={"batch_id": str(batch)})
    (item,) = answer.json()["items"]
    async with reading() as session:
        entered = await session.get_one(Ingestion, UUID(item["resource_id"]))
    assert entered.batch_id == batch
    assert (await api.post("/documents", files={"file": FILE}, data={"batch_id": "none"})).status_code == 422


@pytest.mark.parametrize("name", ["../../etc/passwd", "..\\..\\boot.ini", "/abs/olute.txt", "nul\x00l.txt", "x" * 999])
async def test_a_file_name_is_a_name(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.post("/documents", files={"file": (name, name.encode())})
    kept = answer.json()["items"][0]["filename"]
    assert not set(kept) & {"/", "\\", "\x00"}
    assert 0 < len(kept) <= 255


async def test_what_is_no_upload_is_refused(api: httpx.AsyncClient) -> None:
    assert (await api.post("/documents", json={})).status_code == 415
    assert (await api.post("/documents", data={"subject": "x"}, files={"other": FILE})).status_code == 422
    assert (await api.post("/documents", files={"file": ("empty.txt", b"")})).status_code == 422
    eleven = [("file", (f"{n}.txt", f"text {n}".encode())) for n in range(11)]
    assert (await api.post("/documents", files=eleven)).status_code == 422
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await api.post("/documents", content=b"no part at all", headers=broken)).status_code == 422
    assert (await api.get("/resources")).json()["total"] == 0


async def test_a_private_document_is_nobody_else_s(api: httpx.AsyncClient, person: Person) -> None:
    ada = await person("ada")
    item = (await ada.post("/documents", files={"file": FILE}, data={"private": "true"})).json()["items"][0]
    for path in ("", "/status", "/download"):
        assert (await api.get(f"/documents/{item['id']}{path}")).status_code == 404
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 404
    theirs = (await api.post("/documents", files={"file": FILE})).json()["items"][0]
    assert (theirs["duplicate"], theirs["id"] != item["id"]) == (False, True)


async def test_deleting_a_document_deletes_its_resource(api: httpx.AsyncClient) -> None:
    item = (await api.post("/documents", files={"file": FILE})).json()["items"][0]
    assert (await api.delete(f"/documents/{item['id']}")).status_code == 204
    assert (await api.get(f"/resources/{item['resource_id']}")).status_code == 404
