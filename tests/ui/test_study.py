"""The pages of quizzes and reviews: what they show in every state, what they escape, and where their links lead."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from service.database import transaction
from service.quiz_sessions import actions
from service.quizzes.tables import Question, Quiz
from service.resources.tables import Resource
from service.reviews.tables import ReviewCard
from service.security.accounts import Account
from service.ui.study import PLOT, bars, gaps, passage_link
from tests.search.conftest import person
from tests.ui.conftest import Add

pytestmark = pytest.mark.integration

NASTY = '</script><img src=x onerror=alert(1)> {{ 7 * 7 }} "quoted"'


async def quiz(owner: Account, resource: Resource, *questions: dict[str, Any], **fields: Any) -> UUID:
    made = {"title": NASTY, "sources": {}, "num_questions": 1, "question_types": [], "seed": 1, "status": "ready"}
    async with transaction() as session:
        row = Quiz(owner_id=owner.id, **made | fields)
        session.add(row)
        await session.flush()
        for position, question in enumerate(questions):
            place = {"passage": resource.content[:30], "passage_start": 0, "content_hash": resource.content_hash or ""}
            filled = {
                "quiz_id": row.id,
                "resource_id": resource.id,
                "position": position,
                "difficulty": "easy",
                **place,
            }
            session.add(Question(**filled | question))
        return row.id


CHOICE = {"type": "multiple_choice", "stem": NASTY, "options": [NASTY, "b", "c", "d"], "answer": {"option": 0}}
GAPS = {"type": "fill_in_blank", "stem": "A _____ of _____.", "answer": {"blanks": [[NASTY, "x"], ["y"]]}}
SHORT = {
    "type": "short_answer",
    "stem": "Why?",
    "answer": {"text": NASTY, "key_points": [{"text": NASTY, "terms": ["x"]}]},
}
ALL = (CHOICE, GAPS, SHORT, {"type": "true_false", "stem": "So it is.", "answer": {"value": True}})


async def begun(owner: Account, quiz_id: UUID, **how: Any) -> actions.Sitting:
    async with transaction() as session:
        return await actions.start(session, owner, quiz_id, datetime.now(UTC), seed=1, **how)


async def submitted(owner: Account, sitting: actions.Sitting, answers: dict[UUID, Any]) -> None:
    async with transaction() as session:
        saved = await actions.save(session, owner, sitting.row.id, answers, datetime.now(UTC))
        assert await actions.submit(session, owner, saved, [[] for _ in saved.asked], datetime.now(UTC)) is not None


def is_safe(page: str) -> bool:
    return "<img src=x" not in page and " style=" not in page and "<style" not in page and " onclick=" not in page


async def test_a_quiz_begins_goes_on_and_is_told_of(signed_in: httpx.AsyncClient, ada: Account, add: Add) -> None:
    id = await quiz(ada, await add(NASTY, "A text about light. " * 9), *ALL)
    start = (await signed_in.get(f"/ui/quizzes/{id}/take")).text
    assert "4 questions" in start
    assert 'data-quiz="' in start
    sitting = await begun(ada, id, time_limit_seconds=60)
    going = (await signed_in.get(f"/ui/quizzes/{id}/take")).text
    assert f'data-id="{sitting.row.id}"' in going
    assert going.count('class="question"') == 4
    assert going.count('<input type="text"') == 2 + going.count('id="query"') - 1
    elsewhere = await signed_in.get(f"/ui/sessions/{sitting.row.id}")
    assert (elsewhere.status_code, elsewhere.headers["location"]) == (303, f"/ui/quizzes/{id}/take")
    by_type = {one.type: one for one in sitting.asked}
    given = {by_type["multiple_choice"].question_id: NASTY, by_type["fill_in_blank"].question_id: ["x", ""]}
    await submitted(ada, sitting, given)
    result = (await signed_in.get(f"/ui/sessions/{sitting.row.id}")).text
    assert "37.5 %" in result
    for words in ("Right", "Partly right", "Not answered"):
        assert words in result
    again = (await signed_in.get(f"/ui/quizzes/{id}/take")).text
    assert f'href="/ui/sessions/{sitting.row.id}"' in again
    for page in (start, going, result, again, (await signed_in.get("/ui/reviews")).text):
        assert is_safe(page)


async def test_a_quiz_that_cannot_be_taken_says_why(signed_in: httpx.AsyncClient, ada: Account, add: Add) -> None:
    resource = await add("Light")
    waiting = await quiz(ada, resource, status="generating", message="Reading 3 documents")
    failed = await quiz(ada, resource, status="failed", message="There is too little text.")
    empty = await quiz(ada, resource)
    gone = await quiz(ada, other := await add("Darkness", "A text about the dark."), ALL[3])
    await begun(ada, gone)
    async with transaction() as session:
        row = await session.get(Resource, other.id)
        assert row is not None
        await session.delete(row)
    for id, words in (
        (waiting, "not ready yet. Reading 3 documents"), (failed, "could not be made. There is too little text."),
        (empty, "no questions any more"), (gone, "no questions any more"),
    ):  # fmt: skip
        answer = await signed_in.get(f"/ui/quizzes/{id}/take")
        assert answer.status_code == 200
        assert words in answer.text
        assert 'id="start"' not in answer.text


async def test_pages_of_others_are_not_there(signed_in: httpx.AsyncClient, add: Add) -> None:
    grace = await person("grace")
    id = await quiz(grace, await add("Light", owner=grace.id), ALL[3])
    sitting = await begun(grace, id)
    for path in (
        f"/ui/quizzes/{id}/take",
        f"/ui/sessions/{sitting.row.id}",
        f"/ui/sessions/{uuid4()}",
        "/ui/sessions/x",
    ):
        assert (await signed_in.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("cookie", "shown"), [("Asia%2FKathmandu", "Asia/Kathmandu"), ("x", "UTC"), ("..%2F..%2Fx", "UTC")]
)
async def test_days_are_those_of_the_browser(signed_in: httpx.AsyncClient, cookie: str, shown: str) -> None:
    signed_in.cookies.set("pharos_timezone", cookie)
    assert f'data-timezone="{shown}"' in (await signed_in.get("/ui/reviews")).text


async def test_the_forecast_is_drawn(signed_in: httpx.AsyncClient, ada: Account, add: Add) -> None:
    id = await quiz(ada, await add("Light", "A text about light. " * 9), ALL[3])
    sitting = await begun(ada, id)
    await submitted(ada, sitting, {sitting.asked[0].question_id: True})
    async with transaction() as session:
        await session.execute(update(ReviewCard).values(due=datetime.now(UTC) + timedelta(days=3)))
    page = (await signed_in.get("/ui/reviews")).text
    assert page.count('rx="2"/><text') == 1
    assert ": 1 question</title>" in page


def test_the_highest_bar_fills_the_plot() -> None:
    first = date(2026, 3, 1)
    forecast = [{"day": first + timedelta(days=number), "due": due} for number, due in enumerate([4, 0, 8] + [0] * 27)]
    drawn = bars(forecast)
    room = PLOT.height - PLOT.foot - PLOT.head
    assert [bar.height for bar in drawn[:3]] == [room / 2, 0, room]
    assert drawn[2].y == PLOT.head
    assert all(0 <= bar.x and bar.x + bar.width <= PLOT.width and bar.y + bar.height <= PLOT.height for bar in drawn)
    assert [bar.label for bar in drawn[:8]] == ["1 Mar", *[""] * 6, "8 Mar"]
    assert bars([{"day": first, "due": 0}])[0].height == 0


@pytest.mark.parametrize(
    ("stem", "blanks", "parts"),
    [
        ("A _____ of _____.", 2, ["A ", " of ", "."]),
        ("A _____.", 2, ["A _____. ", " ", " "]),
        ("What is it?", 1, ["What is it? ", " "]),
    ],
)
def test_a_stem_is_split_at_its_blanks(stem: str, blanks: int, parts: list[str]) -> None:
    assert gaps(stem, blanks) == parts


@pytest.mark.parametrize(
    ("passage", "fragment"),
    [
        ("It is a well-known lamp, lit in 1823.", "It%20is%20a%20well%2Dknown%20lamp%2C%20lit%20in%201823."),
        ("  one\n two  three\t", "one,two%20three"),
        ("1 2 3 4 5\nand\nseven eight nine ten & &", "1%202%203%204,nine%20ten%20%26%20%26"),
    ],
)  # fmt: skip
def test_a_link_leads_to_the_passage(passage: str, fragment: str) -> None:
    assert passage_link({"resource_id": "r", "text": passage}) == f"/ui/resources/r#:~:text={fragment}"
