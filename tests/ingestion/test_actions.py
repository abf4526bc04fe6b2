"""The way in, row by row: what enters once, who holds it, what is told in which order."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from service.database import reading, transaction
from service.errors import NotFound, PharosError
from service.events import origin
from service.graph.tables import Citation as CitationRow
from service.ingestion import actions
from service.ingestion.extraction import Citation, Extracted
from service.ingestion.near_duplicates import signature
from service.ingestion.tables import Ingestion
from service.outbox import OutboxRow
from service.queue.tables import AcceptedTask
from service.resources import actions as resources
from service.resources.actions import hash_of
from service.resources.tables import Resource
from service.security.accounts import Account, create_user
from service.security.permissions import ROLES

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("pharos")]

URL = "https://example.org/lighthouses?utm_source=letter"
WORDS = " ".join(f"word{n % 97} lamp{n % 89} sea{n % 83}" for n in range(200))


@pytest.fixture
async def ada(pharos: object) -> Account:
    return await person("ada")


async def person(name: str) -> Account:
    async with transaction() as session:
        user = await create_user(session, name, "editor")
    return Account(user.id, name, "editor", ROLES["editor"])


def reading_of(content: str = WORDS, title: str = "Lighthouses", **fields: object) -> Extracted:
    found = {
        "media_type": "text/html",
        "type": "webpage",
        "title": title,
        "authors": ["Augustin Fresnel"],
        "published_at": datetime(1822, 7, 29, tzinfo=UTC),
        "language": "en",
        "site": "Example",
        "description": None,
        "canonical_url": None,
        "text": content,
        "html": f"<p>{content}</p>",
        "word_count": len(content.split()),
        "content_hash": hash_of(content),
        "signature": list(signature(content) or ()),
        "citations": [Citation("doi", "10.1000/182", "doi:10.1000/182")],
    }
    return Extracted(**(found | fields))  # pyright: ignore[reportArgumentType]


async def request(account: Account, url: str = URL, **options: bool) -> actions.Requested:
    async with transaction() as session:
        return await actions.request_page(session, account, url, **options)  # pyright: ignore[reportArgumentType]


async def claim(resource_id: UUID, cause: UUID | None = None) -> Ingestion | None:
    with origin(cause=cause or uuid4()):
        async with transaction() as session:
            return await actions.claim(session, resource_id)


async def ingest(account: Account, url: str, extracted: Extracted, **options: bool) -> UUID:
    requested = await request(account, url, **options)
    await claim(requested.id)
    async with transaction() as session:
        await actions.store(session, requested.id, extracted)
    return requested.id


async def names() -> list[str]:
    async with reading() as session:
        return list(await session.scalars(select(OutboxRow.name).order_by(OutboxRow.seq)))


async def resource(resource_id: UUID) -> Resource:
    async with reading() as session:
        return (await session.scalars(select(Resource).where(Resource.id == resource_id))).one()


async def test_a_page_enters_once_however_its_address_is_decorated(ada: Account) -> None:
    first = await request(ada)
    again = await request(await person("bob"), "HTTPS://EXAMPLE.org:443/lighthouses#lamp")
    assert (again.id, again.task_id, again.duplicate) == (first.id, first.task_id, True)
    assert await names() == ["ingestion.started"]


async def test_a_private_page_is_one_s_own_and_nobody_hears_of_it(ada: Account) -> None:
    bob = await person("bob")
    mine = await request(ada, private=True)
    shared, his = await request(bob), await request(bob, private=True)
    assert len({mine.id, shared.id, his.id}) == 3
    assert (await request(ada)).id == mine.id
    async with reading() as session:
        audiences = list(await session.scalars(select(OutboxRow.audience).order_by(OutboxRow.seq)))
        with pytest.raises(NotFound):
            await resources.read(session, bob, mine.id)
    assert audiences == [ada.id, None, bob.id]


async def test_events_of_an_ingestion_come_in_the_order_of_the_contract(ada: Account) -> None:
    await ingest(ada, URL, reading_of())
    assert [name for name in await names() if name != "ingestion.progressed"] == [
        "ingestion.started",
        "citations.extracted",
        "authors.extracted",
        "resource.created",
        "resource.content_changed",
        "ingestion.completed",
    ]


async def test_what_was_read_is_stored(ada: Account) -> None:
    stored = await resource(await ingest(ada, URL, reading_of()))
    assert (stored.status, stored.title, stored.authors) == ("completed", "Lighthouses", ["Augustin Fresnel"])
    assert (stored.content, stored.content_hash, stored.word_count) == (WORDS, hash_of(WORDS), 600)
    async with reading() as session:
        assert await session.scalar(select(CitationRow.value)) == "10.1000/182"


async def test_a_repeated_delivery_takes_over_and_another_task_waits(ada: Account) -> None:
    requested, cause = await request(ada), uuid4()
    assert await claim(requested.id, cause) is not None
    assert await claim(requested.id, cause) is not None
    with pytest.raises(actions.IngestionBusy):
        await claim(requested.id)


async def test_a_finished_ingestion_is_not_claimed_and_not_stored_again(ada: Account) -> None:
    done = await ingest(ada, URL, reading_of())
    before = await resource(done)
    assert await claim(done) is None
    async with transaction() as session:
        await actions.store(session, done, reading_of("something else entirely"))
    after = await resource(done)
    assert (after.content, after.version) == (before.content, before.version)


async def test_a_page_that_was_deleted_meanwhile_is_success_without_an_event(ada: Account) -> None:
    requested = await request(ada)
    await claim(requested.id)
    async with transaction() as session:
        await resources.remove(session, ada, requested.id)
    count = len(await names())
    async with transaction() as session:
        await actions.store(session, requested.id, reading_of())
    assert len(await names()) == count
    assert await claim(requested.id) is None


class Away(PharosError):
    """The server is away."""

    transient = True


async def test_a_passing_fault_is_tried_as_often_as_the_table_says_then_the_item_failed(ada: Account) -> None:
    requested = await request(ada)
    over = []
    for _ in range(4):
        await claim(requested.id)
        async with transaction() as session:
            over.append(await actions.fail(session, requested.id, "fetched", Away()))
    assert over == [False, False, False, True]
    assert (await resource(requested.id)).status == "failed"
    assert (await names())[-1] == "ingestion.failed"


async def test_a_lasting_fault_fails_at_once_and_asking_again_starts_anew(ada: Account) -> None:
    requested = await request(ada)
    await claim(requested.id)
    async with transaction() as session:
        assert await actions.fail(session, requested.id, "fetched", NotFound(what="page", id=URL))
    again = await request(ada)
    assert (again.id, again.status, again.task_id != requested.task_id) == (requested.id, "pending", True)
    assert await claim(requested.id) is not None


async def test_the_same_text_and_nearly_the_same_text_are_marked(ada: Account) -> None:
    first = await ingest(ada, "https://example.org/1", reading_of())
    same = await ingest(ada, "https://example.org/2", reading_of())
    near = await ingest(ada, "https://example.org/3", reading_of(WORDS + " and a footer of some words"))
    other = await ingest(ada, "https://example.org/4", reading_of(" ".join(f"else{n}" for n in range(300))))
    assert (await resource(same)).duplicate_of == first
    assert (await resource(near)).near_duplicate_of == first
    assert (await resource(other)).near_duplicate_of is None


async def test_reading_again_keeps_what_people_said_and_tells_what_changed(ada: Account) -> None:
    id = await ingest(ada, URL, reading_of())
    async with transaction() as session:
        await resources.change(session, ada, id, {"title": "The lamp", "description": "by me"})
    await request(ada, force=True)
    await claim(id)
    async with transaction() as session:
        await actions.store(session, id, reading_of("a new text", title="Changed", description="by the page"))
    stored = await resource(id)
    assert (stored.title, stored.description, stored.content) == ("The lamp", "by me", "a new text")
    assert (await names())[-3:] == [
        "resource.updated",
        "resource.content_changed",
        "ingestion.completed",
    ]


async def test_metadata_that_nobody_touched_follows_the_page(ada: Account) -> None:
    first = {"title": "Lamps", "description": "by the page", "authors": ["Ada"], "published_at": datetime.now(UTC)}
    id = await ingest(ada, URL, reading_of("a text", **first))
    async with transaction() as session:
        await resources.change(session, ada, id, {"description": "by me"})
    for changed in ({"title": "Lanterns", "authors": ["Grace"], "description": "anew"}, {"authors": []}):
        await request(ada, force=True)
        await claim(id)
        async with transaction() as session:
            await actions.store(session, id, reading_of("a new text", **{**first, "title": "Lanterns", **changed}))
    stored = await resource(id)
    assert (stored.title, stored.description, stored.authors) == ("Lanterns", "by me", ["Grace"])
    assert stored.published_at == first["published_at"]


async def test_what_nobody_holds_any_more_is_announced(ada: Account) -> None:
    stalled, held = await request(ada, "https://example.org/1"), await request(ada, "https://example.org/2")
    await request(ada, "https://example.org/3")
    await claim(stalled.id)
    await claim(held.id)
    old = datetime.now(UTC) - timedelta(minutes=10)
    async with transaction() as session:
        changed = update(Ingestion).where(Ingestion.resource_id == stalled.id)
        await session.execute(changed.values(updated_at=old, leased_until=old))
        assert await actions.announce_stalled(session) == 2
    async with reading() as session:
        last = (await session.scalars(select(OutboxRow).order_by(OutboxRow.seq.desc()).limit(2))).all()
        assert await session.scalar(select(func.count()).select_from(Ingestion)) == 3
    assert {row.name for row in last} == {"ingestion.stalled"}
    assert str(stalled.id) in {row.data["resource_id"] for row in last}
    assert str(held.id) not in {row.data["resource_id"] for row in last}


async def test_what_a_person_cancelled_is_left_alone_until_somebody_asks_again(ada: Account) -> None:
    asked = await request(ada)
    assert asked.task_id is not None
    async with transaction() as session:
        task = await session.get_one(AcceptedTask, asked.task_id)
        assert task.owner_id == ada.id
        task.cancelled_at = datetime.now(UTC)
    async with transaction() as session:
        assert await actions.announce_stalled(session) == 0
    again = await request(ada)
    assert (again.id, again.duplicate) == (asked.id, True)
    assert again.task_id not in (None, asked.task_id)
    async with transaction() as session:
        assert await actions.announce_stalled(session) == 1
