"""Every route, as everybody: what its scope says is what happens, and nobody reaches what is another's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Message

from service import database, logs
from service.app import ROUTES, create_app
from service.database import transaction
from service.quizzes.tables import Question, Quiz
from service.security.accounts import Account, create_user
from service.security.permissions import PUBLIC, ROLES, Role, Scope, effective_scopes
from service.security.permissions import Public as PublicScope
from service.security.sessions import Visitor, open_session
from service.security.tokens import create_token
from service.settings import Settings
from service.web import Endpoint

pytestmark = pytest.mark.integration

HIDDEN = "zyzzyva"  # a word of Anna's private things, and of nothing else


@dataclass(frozen=True)
class Operation:
    """One method of one path, and the scope that it declares."""

    method: str
    path: str
    scope: Scope | PublicScope

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations() -> Iterator[Operation]:
    for route in ROUTES:
        if isinstance(route, Route):
            assert isinstance(route.app, Endpoint), f"{route.path} declares no scope"
            for method in sorted(set(route.methods or ()) - {"HEAD"}):
                yield Operation(method, route.path, route.app.scope)


OPERATIONS = list(operations())


@pytest.fixture
async def app(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Starlette]:
    """The whole application, as it is served; no worker runs."""
    monkeypatch.setattr(logs, "configure", lambda: None)
    await database.disconnect()
    app = create_app()
    try:
        async with app.router.lifespan_context(app):
            yield app
    finally:
        await database.connect("test", 5, 10)


async def asked(
    app: Starlette, operation: Operation, secret: str | None = None, body: object = None, **ids: str
) -> tuple[int, bytes]:
    """Return the status of an answer and its first part; streams are left then."""
    path = operation.path.replace("{path:path}", "nothing")
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    raw = b"" if body is None else orjson.dumps(body)
    headers = [(b"host", b"pharos.test"), (b"origin", b"http://pharos.test"), (b"content-type", b"application/json")]
    headers += [(b"content-length", str(len(raw)).encode())] if raw else []
    headers += [(b"authorization", f"Bearer {secret}".encode())] if secret else []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": operation.method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("203.0.113.8", 1), "server": ("pharos.test", 80),
    }  # fmt: skip
    answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
    waiting: list[Message] = [{"type": "http.request", "body": raw, "more_body": False}]
    status = 0

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        elif not answer.done():
            answer.set_result((status, message.get("body", b"")))

    serving = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait([serving, answer], timeout=20, return_when=asyncio.FIRST_COMPLETED)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    return answer.result()


async def somebody(role: Role, granted: list[Scope] | None = None) -> tuple[Account, str]:
    """Add a user, and return the secret of a new session, or of a token that may do what was granted."""
    async with transaction() as session:
        user = await create_user(session, f"somebody-{uuid4().hex[:8]}", role)
        account = Account(user.id, user.username, role, effective_scopes(role), None, signed_in=True)
        if granted is None:
            return account, (await open_session(session, user.id, Visitor())).secret
        return account, (await create_token(session, account, "token", granted, None))[1]


async def credentials(role: Role | None) -> list[tuple[frozenset[Scope], str | None]]:
    """Return the secret of a session with everything that a role may do, and of a token for each of it."""
    if role is None:
        return [(frozenset(), None)]
    made: list[tuple[frozenset[Scope], str | None]] = [(ROLES[role], (await somebody(role))[1])]
    for scope in sorted(ROLES[role]):
        made.append((frozenset[Scope]({scope}), (await somebody(role, [scope]))[1]))
    return made


def is_refusal(status: int) -> bool:
    return status in (401, 403) or (300 <= status < 400)  # a page sends to the sign-in


@pytest.mark.parametrize("role", [None, *ROLES])
async def test_every_route_asks_for_what_it_declares(app: Starlette, role: Role | None) -> None:
    wrong: list[str] = []
    readers = await credentials(role)
    for operation in OPERATIONS:  # what changes something may end the session or the account that asks for it
        for scopes, secret in readers if operation.method == "GET" else await credentials(role):
            status, body = await asked(app, operation, secret, id=str(uuid4()), name="nowhere")
            may = operation.scope == PUBLIC or operation.scope in scopes
            if operation.scope == PUBLIC:
                signs_in = operation.path in ("/auth/login", "/auth/link", "/ui/login")
                fine = status not in (429, 500) and (status != 401 or signs_in)
            else:
                fine = is_refusal(status) != may and status not in (429, 500)
            if not fine:
                wrong.append(f"{operation} with {sorted(scopes)}: {status} {body[:80]!r}")
    assert wrong == []


BODIES: dict[str, Any] = {
    "PUT /resources/{id}": {"title": "Mine now"},
    "POST /resources/{id}/tags": {"add": ["mine"]},
    "PUT /resources/{id}/reading": {"progress": 0.5},
    "POST /resources/{id}/reprocess": {"from": "indexed"},
    "POST /resources/{id}/merge": {"ids": [str(uuid4())]},
    "PUT /resources/{id}/quality": {"accuracy": 1},
    "POST /quality/review/{id}": {"decision": "dismissed"},
    "PUT /searches/saved/{id}": {"name": "Mine", "search": {"query": "lamp"}},
    "POST /authors/{id}/merge": {"into": str(uuid4())},
    "POST /authors/{id}/split": {"variant": "Ada Lovelace"},
    "PUT /users/{id}": {"role": "reader"},
    "PUT /taxonomy/{id}": {"name": "Mine"},
    "POST /taxonomy/{id}/merge": {"into": str(uuid4())},
    "PUT /resources/{id}/classification": {"path": "mine"},
    "PUT /collections/{id}": {"name": "Mine now"},
    "POST /collections/{id}/resources": {"resource_ids": [str(uuid4())]},
    "POST /resources/{id}/annotations": {"start": 0, "end": 1},
    "PUT /annotations/{id}": {"note": "Mine now"},
    "PUT /sessions/{id}/answers": {"answers": {}},
    "POST /reviews/{id}": {"rating": 3},
    "PUT /documents/{id}": {"filename": "Mine now"},
    "PUT /webhooks/{id}": {"enabled": False},
    "PUT /feeds/{id}": {"title": "Mine now"},
    "PUT /subjects/{id}": {"name": "Mine now"},
    "PUT /quizzes/{id}/questions/{qid}": {"weight": 2},
    "POST /quizzes/{id}/questions/{qid}/report": {"reason": "Mine now"},
}


async def quiz_of(owner_id: UUID, resource_id: UUID) -> tuple[UUID, UUID]:
    """Put a quiz of one question about a resource into the database; return the ids of both."""
    made: dict[str, Any] = {"sources": {}, "num_questions": 1, "question_types": [], "seed": 1, "status": "ready"}
    asked: dict[str, Any] = {"type": "true_false", "difficulty": "easy", "stem": HIDDEN, "answer": {"value": True}}
    async with transaction() as session:
        quiz = Quiz(owner_id=owner_id, title=HIDDEN, **made)
        session.add(quiz)
        await session.flush()
        passage = {"passage": HIDDEN, "passage_start": 0, "content_hash": "", "position": 0}
        question = Question(quiz_id=quiz.id, resource_id=resource_id, **asked, **passage)
        session.add(question)
        await session.flush()
        return quiz.id, question.id


MACHINERY = ("/tasks", "/ui/operations")  # operators see which tasks there are, and the ids that they are about


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_reaches_what_is_anothers(app: Starlette, role: Role) -> None:
    _, secret = await somebody("editor")
    _, bens = await somebody(role)
    operates = "metrics" in ROLES[role]
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://pharos.test", headers=headers) as her:
        note = await her.post(
            "/resources", json={"title": HIDDEN, "content": HIDDEN, "private": True, "tags": [HIDDEN]}
        )
        assert note.status_code == 201, note.text
        page = await her.post("/ingest", json={"url": f"https://example.org/{HIDDEN}", "private": True})
        upload = await her.post(
            "/documents",
            files={"file": (f"{HIDDEN}.txt", HIDDEN.encode(), "text/plain")},
            data={"private": "true"},
        )
        assert (page.status_code, upload.status_code) == (202, 202)
        saved = await her.post("/searches/saved", json={"name": HIDDEN, "search": {"query": HIDDEN}})
        batch = await her.post("/batch", json={"resource_ids": [note.json()["id"]], "operation": "reindex"})
        long = {"title": HIDDEN, "content": f"The {HIDDEN} shines at night. " * 20, "private": True}
        studied = (await her.post("/resources", json=long)).json()["id"]
        quiz = await her.post("/quizzes", json={"resource_ids": [studied], "num_questions": 5})
        assert quiz.status_code == 202, quiz.text
        token = await her.post("/auth/tokens", json={"name": HIDDEN, "scopes": ["read"]})
        signed_in = (await her.get("/auth/sessions")).json()["items"][0]["id"]
        [document] = upload.json()["items"]
        collection = await her.post("/collections", json={"name": HIDDEN, "description": HIDDEN})
        subject = await her.post("/subjects", json={"name": HIDDEN})
        pieces = await her.post("/uploads", json={"filename": HIDDEN, "size": 9, "private": True})
        assert (subject.status_code, pieces.status_code) == (201, 201)
        note_id = note.json()["id"]
        added = await her.post(f"/collections/{collection.json()['id']}/resources", json={"resource_ids": [note_id]})
        assert (collection.status_code, added.status_code) == (201, 200)
        passage = {"start": 0, "end": 3, "note": HIDDEN, "tags": [HIDDEN]}
        annotation = await her.post(f"/resources/{note_id}/annotations", json=passage)
        assert annotation.status_code == 201, annotation.text
        brought = await her.post("/import", files={"file": (f"{HIDDEN}.csv", HIDDEN.encode())})
        assert brought.status_code == 202, brought.text
        quiz_id, question_id = await quiz_of(UUID((await her.get("/users/me")).json()["id"]), UUID(note_id))
        hook = await her.post("/webhooks", json={"url": f"https://example.org/{HIDDEN}", "events": ["resource.*"]})
        delivery = await her.post(f"/webhooks/{hook.json()['id']}/test")
        feed = await her.post("/feeds", json={"url": f"https://example.org/{HIDDEN}.xml", "title": HIDDEN})
        feed_link = await her.post("/feeds/links", json={"saved_search_id": saved.json()["id"]})
        assert (hook.status_code, delivery.status_code) == (201, 202), hook.text
        assert (feed.status_code, feed_link.status_code) == (201, 201), feed.text
        gone = (await her.post("/resources", json={"title": HIDDEN, "content": HIDDEN, "private": True})).json()["id"]
        assert (await her.delete(f"/resources/{gone}")).status_code == 204
        taken = await her.post(f"/quizzes/{quiz_id}/sessions")
        assert taken.status_code == 201, taken.text
        hers = {
            hook.json()["id"], delivery.json()["delivery_id"], feed.json()["id"], feed_link.json()["id"],
            collection.json()["id"], annotation.json()["id"], subject.json()["id"], pieces.json()["upload_id"],
            *brought.json().values(), str(quiz_id), str(question_id), taken.json()["session_id"],
            gone, note.json()["id"], page.json()["id"], page.json()["task_id"], document["resource_id"], document["id"],
            document["task_id"], studied, *quiz.json().values(),
            saved.json()["id"], batch.json()["task_id"], token.json()["id"], signed_in,
        }  # fmt: skip

        reached: list[str] = []
        for operation in OPERATIONS:
            if "{id}" in operation.path and not operation.path.startswith(("/users", "/dlq", "/invitations")):
                for id in sorted(hers):
                    status, body = await asked(app, operation, bens, BODIES.get(str(operation)), id=id)
                    expected = 404 if operation.scope in (PUBLIC, *ROLES[role]) else 403
                    if operates and operation.path.startswith(MACHINERY):
                        expected = (
                            status if status in (200, 202, 403, 404, 409) else 404
                        )  # they look after the machinery
                    if status != expected or HIDDEN.encode() in body:
                        reached.append(f"{operation} {id}: {status} {body[:80]!r}")
            elif operation.method == "GET" and operation.path != "/events/stream":
                _, body = await asked(app, operation, bens, name="nowhere")
                named = operation.path != "/audit" and not (operates and operation.path.startswith(MACHINERY))
                if HIDDEN.encode() in body or (named and any(id.encode() in body for id in hers)):
                    reached.append(f"{operation} tells of it: {body[:200]!r}")
        assert reached == []

        as_ben = {"Authorization": f"Bearer {bens}"}
        for query in (
            f"/search?query={HIDDEN}&mode=keyword", f"/search?query=lamp&mode=keyword&tag={HIDDEN}",
            f"/resources?q={HIDDEN}",
            f"/search/suggest?q={HIDDEN[:4]}", f"/ui/search?query={HIDDEN}", f"/ui/?batch={uuid4()}",
            f"/ui/items?id={note.json()['id']}", f"/resources?tag={HIDDEN}",
        ):  # fmt: skip
            answer = await her.get(query, headers=as_ben)
            assert note.json()["id"] not in answer.text, query
        many = {"ids": [note.json()["id"]], "add": ["mine"]}
        await her.post("/resources/tags", json=many, headers=as_ben)
        await her.post("/batch", json={"resource_ids": [note.json()["id"]], "operation": "reindex"}, headers=as_ben)
        still = (await her.get(f"/resources/{note.json()['id']}")).json()
        assert (still["title"], still["tags"]) == (HIDDEN, [HIDDEN])
        assert len((await her.get("/auth/tokens")).json()["items"]) == 1


KINDS = {  # where a path takes the id of what
    "/resources/": "resource", "/ui/items/": "resource", "/documents/": "document", "/tasks/": "task",
    "/searches/saved/": "saved", "/ui/batches/": "batch",
}  # fmt: skip


async def test_ones_own_is_there_and_what_is_shared_is_there_for_every_role(app: Starlette) -> None:
    _, anns = await somebody("editor")
    _, cleos = await somebody("editor")
    others = {role: (await somebody(role))[1] for role in ROLES}
    headers = {"Authorization": f"Bearer {anns}"}
    wrong: list[str] = []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://pharos.test", headers=headers
    ) as her:
        for private in (True, False):
            note = await her.post("/resources", json={"title": "Lamp", "content": "A lamp.", "private": private})
            upload = await her.post(
                "/documents",
                files={"file": ("lamp.txt", f"A lamp, {private}.".encode(), "text/plain")},
                data={"private": str(private).lower()},
            )
            saved = await her.post("/searches/saved", json={"name": f"Lamp {private}", "search": {"query": "lamp"}})
            batch = await her.post("/batch", json={"resource_ids": [note.json()["id"]], "operation": "reindex"})
            [document] = upload.json()["items"]
            ids = {
                "resource": note.json()["id"], "document": document["id"], "task": batch.json()["task_id"],
                "saved": saved.json()["id"], "batch": batch.json()["task_id"],
            }  # fmt: skip
            for operation in OPERATIONS:
                kind = next(
                    (kind for prefix, kind in KINDS.items() if operation.path.startswith(f"{prefix}{{id}}")), None
                )
                if kind is None or operation.method != "GET":
                    continue
                shared = not private and kind in ("resource", "document")
                for who, secret in {"its owner": anns, **others}.items():
                    if who != "its owner" and not shared:
                        continue
                    status, body = await asked(app, operation, secret, id=ids[kind])
                    there = status < 300 or (status == 404 and f"There is no {kind}".encode() not in body)
                    if not there:
                        wrong.append(f"{operation} of a {kind}, private {private}, by {who}: {status} {body[:80]!r}")
            for operation in OPERATIONS:
                if operation.path.startswith("/resources/{id}") and str(operation) in BODIES:
                    body = BODIES[str(operation)]
                    status, _ = await asked(app, operation, anns, body, id=ids["resource"])
                    theirs, _ = await asked(app, operation, cleos, body, id=ids["resource"])
                    # These need what a task makes, which did not run, or another resource.
                    needs = operation.path.endswith(("/quality", "/classification", "/merge"))
                    if (status >= 300 and not needs) or theirs != (404 if private else status):
                        wrong.append(f"{operation}, private {private}: owner {status}, another editor {theirs}")
    assert wrong == []
