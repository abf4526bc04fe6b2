"""What was answered comes back: due by day, rated, left out, counted, exported."""

import asyncio
import csv
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select, update

from service.database import reading, transaction
from service.exports.spreadsheet import FORMULA
from service.outbox import OutboxRow
from service.quizzes.tables import Question
from service.reviews import actions
from service.reviews.anki import field
from service.reviews.statistics import statistics
from service.reviews.tables import Review, ReviewCard
from service.security.accounts import Account
from service.security.permissions import ROLES
from tests.quiz_sessions.conftest import (
    OF_EACH,
    Person,
    begun,
    blanks,
    material,
    me,
    multiple_choice,
    of_type,
    quiz,
    saved,
    submitted,
    true_false,
)

pytestmark = pytest.mark.integration

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")


@pytest.fixture
async def ada(person: Person) -> httpx.AsyncClient:
    return await person("ada")


@pytest.fixture
async def grace(person: Person) -> httpx.AsyncClient:
    return await person("grace")


async def account(client: httpx.AsyncClient) -> Account:
    return Account(await me(client), "somebody", "editor", ROLES["editor"])


async def learnt(client: httpx.AsyncClient, *right: bool, **fields: Any) -> list[UUID]:
    """Take a quiz of as many statements, and return the ids of its questions in the order of `right`."""
    statements = [true_false(f"Statement {number}.", **fields) for number in range(len(right))]
    session = await begun(client, await quiz(client, *statements))
    by_stem = {question["stem"]: question["id"] for question in session["questions"]}
    ids = [by_stem[f"Statement {number}."] for number in range(len(right))]
    await saved(client, session, dict(zip(ids, right, strict=True)))
    await submitted(client, session)
    return [UUID(id) for id in ids]


async def set_back(days: float) -> None:
    """Let everything have happened so many days earlier."""
    by = timedelta(days=days)
    async with transaction() as session:
        moved = {"due": ReviewCard.due - by, "last_review": ReviewCard.last_review - by}
        await session.execute(update(ReviewCard).values(**moved))
        await session.execute(update(Review).values(reviewed_at=Review.reviewed_at - by))


async def due(client: httpx.AsyncClient, **asked: Any) -> list[str]:
    answer = await client.get("/reviews/due", params=asked)
    assert answer.status_code == 200, answer.text
    return [item["question_id"] for item in answer.json()["items"]]


async def test_a_submitted_quiz_comes_back_the_next_day(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, *OF_EACH))
    choice, statement, gaps = (of_type(session, type) for type in ("multiple_choice", "true_false", "fill_in_blank"))
    answers = {choice["id"]: "Augustin-Jean Fresnel", statement["id"]: False, gaps["id"]: ["Fresnel", "?"]}
    await saved(ada, session, answers)
    assert await due(ada) == []
    await submitted(ada, session)
    assert await due(ada) == []
    await set_back(1)
    assert set(await due(ada)) == {statement["id"], gaps["id"]}  # what was not answered is no card
    await set_back(1)
    assert set(await due(ada)) == set(answers)
    assert len(await due(ada, limit=2)) == 2
    assert len(await due(ada, limit=2, offset=2)) == 1
    async with reading() as rows:
        ratings = {str(review.question_id): review.rating for review in await rows.scalars(select(Review))}
    assert ratings == {choice["id"]: 3, statement["id"]: 1, gaps["id"]: 1}


async def test_a_rating_moves_a_question(ada: httpx.AsyncClient) -> None:
    [id] = await learnt(ada, True)
    await set_back(2)
    [item] = (await ada.get("/reviews/due")).json()["items"]
    assert (item["question_id"], item["state"], item["type"]) == (str(id), "review", "true_false")
    forgotten = (await ada.post(f"/reviews/{id}", json={"rating": 1})).json()
    assert (forgotten["state"], forgotten["lapses"], forgotten["reviews"]) == ("relearning", 1, 2)
    assert await due(ada) == []  # for ten minutes
    await set_back(1 / 96)
    assert await due(ada) == [str(id)]
    known = (await ada.post(f"/reviews/{id}", json={"rating": 3})).json()
    assert (known["state"], known["lapses"]) == ("review", 1)
    assert await due(ada) == []
    easy = (await ada.post(f"/reviews/{id}", json={"rating": 4})).json()
    assert easy["due"] > known["due"]


@pytest.mark.parametrize("body", [{"rating": 0}, {"rating": 5}, {"rating": "3"}, {"rating": True}, {}, {"rating": 2.5}])
async def test_what_is_no_rating_is_refused(ada: httpx.AsyncClient, body: dict[str, Any]) -> None:
    [id] = await learnt(ada, True)
    assert (await ada.post(f"/reviews/{id}", json=body)).status_code == 422


async def test_reviews_are_their_owners_alone(ada: httpx.AsyncClient, grace: httpx.AsyncClient) -> None:
    [id] = await learnt(ada, False)
    await set_back(1)
    for way, body in (("", {"rating": 3}), ("/reveal", {}), ("/suspend", {}), ("/unsuspend", {})):
        for who, other in ((grace, id), (ada, uuid4())):
            assert (await who.post(f"/reviews/{other}{way}", json=body)).status_code == 404
    assert await due(grace) == []
    assert (await grace.get("/reviews/statistics")).json()["states"]["total"] == 0
    assert str(id) not in (await grace.get("/reviews/export", params={"format": "anki"})).text
    assert await due(ada) == [str(id)]


async def test_the_key_is_revealed_and_an_answer_checked(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, multiple_choice(), blanks(["Fresnel"], ["Cordouan"])))
    choice, gaps = of_type(session, "multiple_choice"), of_type(session, "fill_in_blank")
    await saved(ada, session, {choice["id"]: 0, gaps["id"]: "x"})
    await submitted(ada, session)
    await set_back(3)
    items = {item["question_id"]: item for item in (await ada.get("/reviews/due")).json()["items"]}
    options = items[choice["id"]]["options"]
    assert sorted(options) == sorted(choice["options"])
    plain = (await ada.post(f"/reviews/{choice['id']}/reveal")).json()
    assert options[plain["right"]["option"]] == plain["right"]["text"] == "Augustin-Jean Fresnel"
    assert "share" not in plain
    dates = [plain["next"][str(rating)] for rating in (1, 2, 3, 4)]
    assert dates == sorted(dates)
    right = {"answer": options.index("Augustin-Jean Fresnel")}
    checked = (await ada.post(f"/reviews/{choice['id']}/reveal", json=right)).json()
    assert (checked["share"], checked["suggested_rating"]) == (1, 3)
    half = (await ada.post(f"/reviews/{gaps['id']}/reveal", json={"answer": ["fresnel", "?"]})).json()
    assert (half["share"], half["suggested_rating"]) == (0.5, 1)
    assert half["passage"]["text"] == "The Fresnel lens was first lit in 1823. "
    wrong = await ada.post(f"/reviews/{choice['id']}/reveal", json={"answer": "Nobody"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["loc"] == ["answer"]
    assert await due(ada) == [item for item in items]  # a look changes nothing


async def test_due_today_is_where_one_lives(ada: httpx.AsyncClient) -> None:
    [id] = await learnt(ada, False)
    who, now = await account(ada), datetime(2026, 3, 10, 22, 30, tzinfo=UTC)  # half past eleven in Berlin
    async with transaction() as rows:
        await rows.execute(update(ReviewCard).values(due=datetime(2026, 3, 10, 23, 15, tzinfo=UTC)))

    async def asked(at: datetime, where: ZoneInfo) -> int:
        async with reading() as rows:
            return (await actions.due(rows, who, at, where, limit=10, offset=0))[0]

    assert await asked(now, UTC_ZONE) == 1
    assert await asked(now, BERLIN) == 0  # it is tomorrow's there
    assert await asked(now + timedelta(minutes=30), BERLIN) == 1
    refused = await ada.get("/reviews/due", params={"timezone": "Mars/Olympus"})
    assert refused.status_code == 422
    assert "IANA" in refused.json()["errors"][0]["msg"]
    assert (await ada.get("/reviews/due", params={"timezone": "Asia/Kathmandu"})).status_code == 200
    assert id


async def test_who_has_questions_due_hears_of_it_once_a_day(ada: httpx.AsyncClient, grace: httpx.AsyncClient) -> None:
    first, *_ = await learnt(ada, True, True, True)
    await learnt(grace, True)
    await ada.post(f"/reviews/{first}/suspend")
    now = datetime.now(UTC)
    for when, people in ((now, 0), (now + timedelta(days=30), 2)):
        async with transaction() as session:
            assert await actions.announce_due(session, when) == people
    async with reading() as session:
        rows = (await session.scalars(select(OutboxRow).where(OutboxRow.name == "reviews.due"))).all()
    assert {(row.data["user_id"], row.data["count"], row.audience) for row in rows} == {
        (str(await me(ada)), 2, await me(ada)),
        (str(await me(grace)), 1, await me(grace)),
    }


async def test_what_is_suspended_waits(ada: httpx.AsyncClient) -> None:
    one, other = await learnt(ada, False, False)
    await set_back(1)
    for _ in range(2):
        answer = await ada.post(f"/reviews/{one}/suspend")
        assert (answer.status_code, answer.json()["suspended"]) == (200, True)
    assert await due(ada) == [str(other)]
    stats = (await ada.get("/reviews/statistics")).json()
    assert (stats["due"], stats["states"]["suspended"], stats["states"]["young"]) == (1, 1, 1)
    assert sum(day["due"] for day in stats["forecast"]) == 1
    assert (await ada.post(f"/reviews/{one}/unsuspend")).json()["suspended"] is False
    assert set(await due(ada)) == {str(one), str(other)}


async def test_statistics_tell_how_it_goes(ada: httpx.AsyncClient) -> None:
    ids = await learnt(ada, True, True, False, False)
    await set_back(2)
    for id, rating in zip(ids, (3, 1, 3, 4), strict=True):
        assert (await ada.post(f"/reviews/{id}", json={"rating": rating})).status_code == 200
    stats = (await ada.get("/reviews/statistics")).json()
    assert stats["retention"] == {"days": 30, "reviews": 4, "remembered": 3, "rate": 0.75}
    assert stats["reviews"] == {"last_30_days": 8, "total": 8}
    assert stats["streak"] == {"current": 1, "longest": 1}
    assert stats["reviewed_today"] == 4
    assert (stats["states"]["relearning"], stats["states"]["total"]) == (1, 4)
    assert len(stats["forecast"]) == 30
    assert stats["forecast"][0]["day"] == stats["today"]
    assert stats["forecast"][0]["due"] >= 1  # what was forgotten comes today, or, near midnight, is still counted
    await set_back(1)
    [again] = [id for id in ids if str(id) in await due(ada)][:1]
    await ada.post(f"/reviews/{again}", json={"rating": 3})
    assert (await ada.get("/reviews/statistics")).json()["streak"] == {"current": 2, "longest": 2}


async def test_the_forecast_is_the_same_by_the_same_clock(ada: httpx.AsyncClient) -> None:
    ids = await learnt(ada, True, False, False)
    who, now = await account(ada), datetime(2026, 3, 10, 12, tzinfo=UTC)
    dues = [now + timedelta(days=3, hours=11, minutes=30), now - timedelta(days=40), now + timedelta(days=29)]
    async with transaction() as rows:
        for id, moment in zip(ids, dues, strict=True):
            await rows.execute(update(ReviewCard).where(ReviewCard.question_id == id).values(due=moment))

    async def coming(where: ZoneInfo) -> dict[int, int]:
        async with reading() as rows:
            found = await statistics(rows, who, now, where)
        return {number: day["due"] for number, day in enumerate(found["forecast"]) if day["due"]}

    assert await coming(UTC_ZONE) == {0: 1, 3: 1, 29: 1}
    assert await coming(BERLIN) == {0: 1, 4: 1, 29: 1}


async def test_two_quizzes_that_are_submitted_at_once_make_one_card_each(ada: httpx.AsyncClient) -> None:
    id = await quiz(ada, *(true_false(f"Statement {number}.") for number in range(10)))
    sessions = [await begun(ada, id, seed=seed) for seed in range(4)]
    for session in sessions:
        await saved(ada, session, {question["id"]: True for question in session["questions"]})
    results = await asyncio.gather(*(submitted(ada, session) for session in sessions))
    assert {result["percentage"] for result in results} == {100.0}
    async with reading() as rows:
        cards = (await rows.scalars(select(ReviewCard))).all()
        log = (await rows.scalars(select(Review))).all()
    assert (len(cards), {card.reviews for card in cards}, len(log)) == (10, {4}, 40)


async def test_what_is_gone_is_not_asked_and_that_one_studied_stays(ada: httpx.AsyncClient) -> None:
    source = await material(ada, content="The canarycard stands here. " * 5)
    session = await begun(
        ada, await quiz(ada, true_false("The canarycard stands."), true_false("B."), resource_id=source)
    )
    await saved(ada, session, {question["id"]: False for question in session["questions"]})
    await submitted(ada, session)
    await set_back(1)
    retired = next(question["id"] for question in session["questions"] if question["stem"] == "B.")
    async with transaction() as rows:
        await rows.execute(update(Question).where(Question.id == UUID(retired)).values(retired_at=datetime.now(UTC)))
    assert len(await due(ada)) == 1
    assert (await ada.post(f"/reviews/{retired}", json={"rating": 3})).status_code == 404
    assert (await ada.delete(f"/resources/{source}")).status_code == 204
    assert await due(ada) == []
    stats = (await ada.get("/reviews/statistics")).json()
    assert (stats["states"]["total"], stats["streak"]["longest"], stats["reviews"]["total"]) == (0, 1, 2)
    async with reading() as rows:
        assert {review.question_id for review in await rows.scalars(select(Review))} == {None}


async def test_anki_reads_the_export_and_a_spreadsheet_computes_nothing(ada: httpx.AsyncClient) -> None:
    awkward = multiple_choice('=HYPERLINK("x")\tand <b>more</b>\nthan that', difficulty="hard")
    session = await begun(ada, await quiz(ada, awkward, blanks(["-1+2"], ["@x"], stem='"Quoted" _____ and _____')))
    choice, gaps = of_type(session, "multiple_choice"), of_type(session, "fill_in_blank")
    await saved(ada, session, {choice["id"]: 0, gaps["id"]: "x"})
    await submitted(ada, session)
    answer = await ada.get("/reviews/export", params={"format": "anki"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'filename="pharos-anki.txt"' in answer.headers["content-disposition"]
    lines = answer.text.splitlines()
    header, notes = [line for line in lines if line[0] == "#"], [line for line in lines if line[0] != "#"]
    assert {"#separator:tab", "#html:true", "#guid column:1", "#tags column:4"} <= set(header)
    cells = {row[0]: row for row in csv.reader(notes, delimiter="\t")}  # as Anki and spreadsheets split it
    assert set(cells) == {choice["id"], gaps["id"]}
    assert {len(row) for row in cells.values()} == {4}
    _, front, back, tags = cells[choice["id"]]
    assert front.startswith("&#61;HYPERLINK(&quot;x&quot;) and &lt;b&gt;more&lt;/b&gt;<br>than that<br>1. Thomas Young")
    assert back.startswith("Augustin-Jean Fresnel<br><i>The Fresnel lens")
    assert tags == "pharos::multiple_choice pharos::hard"
    assert cells[gaps["id"]][2].startswith("&#45;1+2, @x<br>")
    assert not any(cell.startswith(FORMULA) for row in cells.values() for cell in row)
    assert (await ada.get("/reviews/export", params={"format": "csv"})).status_code == 422


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "|a", "%a", "＝1", "  =1", "a=1", "", "<", "&#61;", "a\u2028b"]
)
def test_a_field_says_what_was_said(text: str) -> None:
    made = field(text)
    assert not made.lstrip(" \u00a0").startswith(FORMULA)
    assert "\t" not in made
    assert len(made.splitlines()) <= 1
    assert unescape(made.replace("<br>", "\u2028")) == text.strip()
