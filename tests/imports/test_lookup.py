"""What registers of papers say: asked where it is allowed, and never over what a person or a page said."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from sqlalchemy import select

from service.database import reading, transaction
from service.imports import lookup
from service.imports.tables import Bibliography
from service.queue.retries import Policy, TryAgain, judge
from service.resources import actions as resources
from service.resources.tables import Resource
from service.security.accounts import Account
from service.security.egress import EgressBlocked, HttpBusy
from service.settings import Settings, settings
from service.tasks import CITE, LOOK_UP, QUALITY
from tests.origin import Origin, Page
from tests.search.conftest import person
from tests.sent import Sent

pytestmark = pytest.mark.integration

TEXT = "The keeper of the tower writes down what the tide brings."
PAPER: dict[str, Any] = {
    "type": "journal-article", "DOI": "10.1000/LAMP", "title": "On <i>lamps</i>", "publisher": "Sea Press",
    "container-title": ["Annals of Light"], "volume": "7", "page": "1-9", "issued": {"date-parts": [[1999, 3]]},
    "author": [{"given": "Ines", "family": "Marlow"}, {"given": "Ruth", "family": "Okafor"}],
    "abstract": "What lamps do.", "reference": [{"key": "1"}], "URL": "http://dx.doi.org/10.1000/LAMP",
}  # fmt: skip
ATOM = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>ArXiv Query</title><id>http://arxiv.org/api/x</id>
<entry><id>http://arxiv.org/abs/{id}v3</id><published>2021-01-05T18:00:00Z</published>
<title>Lamps of
  the deep</title><summary> They shine. </summary>
<author><name>Ines Marlow</name></author><author><name>Ruth Okafor</name></author>
<arxiv:doi xmlns:arxiv="http://arxiv.org/schemas/atom">10.1000/deep</arxiv:doi></entry></feed>"""


@pytest.fixture
async def origin(pharos: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Origin]:
    async with Origin() as running:
        monkeypatch.setenv("PHAROS_EGRESS_ALLOW", running.address)
        monkeypatch.setenv("PHAROS_METADATA_LOOKUP", "true")
        monkeypatch.setenv("PHAROS_DOI_URL", running.url("/doi/"))
        monkeypatch.setenv("PHAROS_ARXIV_URL", running.url("/api/query"))
        settings.cache_clear()
        yield running


@pytest.fixture
async def ada(origin: Origin) -> Account:
    return await person("ada")


async def add(account: Account, **fields: Any) -> UUID:
    async with transaction() as session:
        said = {"title": "https://doi.org/10.1000/lamp", "content": TEXT, **fields}
        return (await resources.create(session, account, said, "content")).id


async def look_up(resource_id: UUID) -> list[str] | None:
    """Do what the task does; None where nothing was asked for."""
    async with reading() as session:
        wanted = await lookup.wanted(session, resource_id)
    if wanted is None:
        return None
    found = await lookup.look_up(wanted)
    if found is None:
        return []
    async with transaction() as session:
        return await lookup.keep(session, wanted, found)


async def known(resource_id: UUID) -> tuple[Resource, dict[str, Any] | None]:
    async with reading() as session:
        csl = await session.scalar(select(Bibliography.csl).where(Bibliography.resource_id == resource_id))
        return await session.get_one(Resource, resource_id), csl


def paper(**fields: Any) -> Page:
    return Page(orjson.dumps(PAPER | fields), content_type=lookup.CSL_JSON)


async def test_what_is_empty_is_filled_from_the_register_of_dois(ada: Account, origin: Origin) -> None:
    origin.pages["/doi/10.1000/lamp"] = Page(status=302, headers={"Location": origin.url("/works/lamp")})
    origin.pages["/works/lamp"] = paper()
    id = await add(ada, url="https://doi.org/10.1000/LAMP", title="https://doi.org/10.1000/LAMP")
    assert await look_up(id) == ["title", "authors", "published_at"]
    assert {request.headers["accept"] for request in origin.requests} == {lookup.CSL_JSON}
    resource, csl = await known(id)
    assert (resource.title, resource.authors) == ("On lamps", ["Ines Marlow", "Ruth Okafor"])
    assert resource.published_at is not None
    assert resource.published_at.date().isoformat() == "1999-03-01"
    assert csl is not None
    assert (csl["type"], csl["container-title"], csl["page"]) == ("article-journal", "Annals of Light", "1-9")
    assert csl.keys().isdisjoint({"reference", "URL"})
    assert await look_up(id) is None
    assert len(origin.requests) == 2


async def test_what_a_person_or_a_page_said_stays(ada: Account, origin: Origin) -> None:
    origin.pages["/doi/10.1000/lamp"] = paper()
    id = await add(ada, title="My lamps", authors=["I. Marlow"], identifiers=["doi:10.1000/lamp"], description="Mine.")
    async with transaction() as session:
        session.add(Bibliography(resource_id=id, csl={"type": "chapter", "page": "3"}))
    assert await look_up(id) == ["published_at"]
    resource, csl = await known(id)
    assert (resource.title, resource.authors, resource.description) == ("My lamps", ["I. Marlow"], "Mine.")
    assert csl is not None
    assert (csl["type"], csl["page"], csl["volume"], "abstract" in csl) == ("chapter", "3", "7", False)


async def test_a_paper_of_arxiv_is_filled_from_its_api(ada: Account, origin: Origin) -> None:
    atom = ATOM.format(id="2101.00001").encode()
    origin.pages["/api/query?id_list=2101.00001&max_results=1"] = Page(atom, content_type="application/atom+xml")
    url = "https://arxiv.org/abs/2101.00001v2"
    id = await add(ada, url=url, title=url)
    assert await look_up(id) == ["title", "authors", "published_at"]
    resource, csl = await known(id)
    assert (resource.title, resource.authors) == ("Lamps of the deep", ["Ines Marlow", "Ruth Okafor"])
    assert csl is not None
    assert (csl["type"], csl["publisher"], csl["DOI"]) == ("article", "arXiv", "10.1000/deep")


@pytest.mark.parametrize(
    "page",
    [
        Page(b"unknown", 404),
        paper(DOI="10.1000/another"),
        Page(b"<html>no JSON</html>"),
        Page(b'{"DOI": "10.1000/lamp", "title": '),
        Page(b""),
    ],
    ids=["unknown", "another", "html", "cut off", "nothing"],
)
async def test_an_answer_that_says_nothing_of_it_changes_nothing(ada: Account, origin: Origin, page: Page) -> None:
    origin.pages["/doi/10.1000/lamp"] = page
    id = await add(ada, identifiers=["doi:10.1000/lamp"])
    before = (await known(id))[0].version
    assert await look_up(id) == []
    assert ((await known(id))[0].version, (await known(id))[1]) == (before, None)
    assert len(origin.requests) == 1


async def test_an_unknown_paper_of_arxiv_changes_nothing(ada: Account, origin: Origin) -> None:
    wrong = ATOM.format(id="errors#incorrect_id").encode()
    origin.pages["/api/query?id_list=hep-th/9901001&max_results=1"] = Page(wrong)
    id = await add(ada, identifiers=["arxiv:hep-th/9901001"])
    assert await look_up(id) == []
    assert len(origin.requests) == 1


async def test_a_busy_register_is_asked_again_when_it_wants(ada: Account, origin: Origin) -> None:
    id = await add(ada, identifiers=["doi:10.1000/lamp"])
    for status, said, pause in ((503, "90", 90), (429, "99999", lookup.LONGEST_WAIT)):
        origin.pages["/doi/10.1000/lamp"] = Page(b"", status, headers={"Retry-After": said})
        with pytest.raises(HttpBusy) as caught:
            await look_up(id)
        again = judge(caught.value, Policy(LOOK_UP.retries, LOOK_UP.backoff), 0, 0)
        assert isinstance(again, TryAgain)
        assert (again.counts, again.delay >= pause) == (True, True)
    async with reading() as session:
        assert (await session.get_one(Resource, id)).status == "completed"


async def test_what_may_not_be_fetched_from_is_not_asked(
    ada: Account, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHAROS_EGRESS_ALLOW")
    settings.cache_clear()
    with pytest.raises(EgressBlocked):
        await look_up(await add(ada, identifiers=["doi:10.1000/lamp"]))
    assert origin.requests == []


async def test_a_resource_that_became_another_one_meanwhile_is_left_alone(ada: Account, origin: Origin) -> None:
    origin.pages["/doi/10.1000/lamp"] = paper()
    id = await add(ada, url="https://doi.org/10.1000/lamp")
    async with reading() as session:
        wanted = await lookup.wanted(session, id)
    assert wanted is not None
    found = await lookup.look_up(wanted)
    assert found is not None
    async with transaction() as session:
        await resources.change(session, ada, id, {"url": "https://doi.org/10.1000/reef"})
    async with transaction() as session:
        assert await lookup.keep(session, wanted, found) == []
    async with transaction() as session:
        await resources.remove(session, ada, id)
    async with transaction() as session:
        assert await lookup.keep(session, wanted, found) == []


async def test_only_what_has_an_identifier_of_its_own_is_asked_for_where_that_is_allowed(
    origin: Origin, api: httpx.AsyncClient, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    cites = {"title": "A note", "content": f"{TEXT} See doi:10.1000/182."}
    note = (await api.post("/resources", json=cites)).json()["id"]
    named = cites | {"url": "https://doi.org/10.1000/lamp"}
    id = (await api.post("/resources", json=named)).json()["id"]
    await sent.expect(LOOK_UP, resource_id=id)
    sent.refute(LOOK_UP, resource_id=note)
    await api.put(f"/resources/{note}", json={"url": "https://arxiv.org/abs/2101.00001"})
    await sent.expect(LOOK_UP, resource_id=note)
    monkeypatch.delenv("PHAROS_METADATA_LOOKUP")
    settings.cache_clear()
    other = (await api.post("/resources", json=named)).json()["id"]
    await sent.expect(QUALITY, resource_id=other)  # of the same commit
    await sent.expect(CITE, resource_id=other)
    sent.refute(LOOK_UP, resource_id=other)
    async with reading() as session:
        assert await lookup.wanted(session, UUID(id)) is None
