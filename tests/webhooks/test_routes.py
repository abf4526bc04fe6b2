"""Webhooks over HTTP, and from a change to a receiver through relay, queue and worker."""

import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.applications import Starlette

from service.settings import settings
from service.webhooks.signing import signature
from tests.queue.conftest import Work, actors, broker, elapse, store, until, working
from tests.webhooks.receiver import Receiver

__all__ = ["actors", "broker", "elapse", "store", "working"]

pytestmark = pytest.mark.integration

Person = Callable[..., Awaitable[httpx.AsyncClient]]
PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_EGRESS_ALLOW", "127.0.0.1")
    settings.cache_clear()


async def made(client: httpx.AsyncClient, url: str, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/webhooks", json={"url": url, "events": ["resource.*"], **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_life_of_one(allowed: None, person: Person, receiver: Receiver) -> None:
    ada = await person("ada")
    webhook = await made(ada, receiver.url)
    path = f"/webhooks/{webhook['id']}"
    assert webhook.pop("secret").startswith("whsec_")
    assert (await ada.get(path)).json() == webhook  # without the secret
    assert webhook["enabled"] is True
    changed = await ada.put(path, json={"events": ["quiz.*"], "enabled": False, "secret": "another long secret"})
    assert (changed.json()["events"], changed.json()["enabled"]) == (["quiz.*"], False)
    assert "secret" not in changed.text
    assert (await ada.post(f"{path}/test")).status_code == 409
    assert (await ada.put(path, json={"enabled": True})).json()["enabled"] is True
    test = await ada.post(f"{path}/test")
    assert test.status_code == 202
    delivery = (await ada.get(f"/deliveries/{test.json()['delivery_id']}")).json()
    assert (delivery["event"], delivery["status"], delivery["attempts"]) == ("webhook.tested", "waiting", 0)
    assert '"webhook.tested"' in delivery["body"]
    assert (await ada.post(f"/deliveries/{delivery['id']}/retry")).status_code == 409
    listed = (await ada.get(f"{path}/deliveries", params={"limit": 1})).json()
    assert (listed["total"], [item["id"] for item in listed["items"]]) == (1, [delivery["id"]])
    assert (await ada.get(f"{path}/deliveries", params={"status": "failed"})).json()["total"] == 0
    assert (await ada.delete(path)).status_code == 204
    assert (await ada.get(path)).status_code == 404
    assert (await ada.get(f"/deliveries/{delivery['id']}")).status_code == 404
    assert (await ada.get("/webhooks")).json()["total"] == 0


async def test_nobody_reaches_anothers(allowed: None, person: Person, receiver: Receiver) -> None:
    ada, ben = await person("ada"), await person("ben", "admin")
    id = (await made(ada, receiver.url))["id"]
    delivery = (await ada.post(f"/webhooks/{id}/test")).json()["delivery_id"]
    for method, path in (
        ("GET", f"/webhooks/{id}"), ("PUT", f"/webhooks/{id}"), ("DELETE", f"/webhooks/{id}"),
        ("POST", f"/webhooks/{id}/test"), ("GET", f"/webhooks/{id}/deliveries"),
        ("GET", f"/deliveries/{delivery}"), ("POST", f"/deliveries/{delivery}/retry"),
    ):  # fmt: skip
        body = {"enabled": False} if method == "PUT" else None
        assert (await ben.request(method, path, json=body)).status_code == 404, (method, path)
    assert (await ben.get("/webhooks")).json()["total"] == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"url": "http://169.254.169.254/latest"},
        {"url": "http://127.0.0.1:1/"},
        {"url": "http://localhost/hook"},
        {"url": "ftp://example.org/"},
        {"url": "https://ada:secret@example.org/"},
        {"url": "no address"},
        {"events": []},
        {"events": ["lamps.*"]},
        {"events": ["webhook.*"]},
        {"events": ["background_task.requeued"]},
        {"events": ["*.created"]},
        {"secret": "short"},
        {"secret": "ä" * 20},
        {"unknown": 1},
    ],
)
async def test_bad_input(person: Person, fields: dict[str, Any]) -> None:
    ada = await person("ada")
    answer = await ada.post("/webhooks", json={"url": "https://example.org/", "events": ["*"], **fields})
    assert answer.status_code == 422, answer.text
    assert "secret@" not in answer.text
    assert (await ada.get("/webhooks")).json()["total"] == 0


async def test_from_a_change_to_the_receiver(
    allowed: None, receiver: Receiver, application: Starlette, person: Person, actors: list[str], working: Work
) -> None:
    ada = await person("ada")
    webhook = await made(ada, receiver.url, events=["resource.created"])
    async with working():
        await ada.post("/resources", json={"title": "Lamp", "content": "A lamp by the sea.", "private": True})
        await until(lambda: receiver.heard)

        async def delivered() -> bool:
            listed = (await ada.get(f"/webhooks/{webhook['id']}/deliveries")).json()["items"]
            return [item["status"] for item in listed] == ["delivered"]

        await until(delivered)
    [heard] = receiver.heard
    timestamp = heard.headers["x-pharos-timestamp"]
    assert heard.headers["x-pharos-signature"] == signature(webhook["secret"], timestamp, heard.body)


def test_the_example_of_the_page_verifies_what_we_sign() -> None:
    found = re.search(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    program: dict[str, Any] = {}
    exec(found[1], program)
    secret, body, now = f"whsec_{uuid4()}", b'{"name":"resource.created"}', str(int(time.time()))

    def headers(timestamp: str, signed: str) -> dict[str, str]:
        return {"X-Pharos-Timestamp": timestamp, "X-Pharos-Signature": signed}

    verified = program["verified"]
    assert verified(secret, headers(now, signature(secret, now, body)), body)
    assert not verified(secret, headers(now, signature(secret, now, body)), body + b" ")
    assert not verified("another", headers(now, signature(secret, now, body)), body)
    old = str(int(time.time()) - 400)
    assert not verified(secret, headers(old, signature(secret, old, body)), body)
