"""A quiz is taken over HTTP: started, saved from two devices, submitted once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update

from service.database import reading, transaction
from service.event_log import EventRow
from service.quiz_sessions.actions import read, submit
from service.quiz_sessions.opened import open_session_of
from service.quiz_sessions.tables import QuizSession, SessionQuestion
from service.quizzes.tables import Question
from service.security.accounts import Account
from service.security.permissions import ROLES
from tests.queue.conftest import until
from tests.quiz_sessions.conftest import (
    OF_EACH,
    POINTS,
    Person,
    begun,
    blanks,
    material,
    me,
    multiple_choice,
    of_type,
    quiz,
    saved,
    short,
    submitted,
    true_false,
)

pytestmark = pytest.mark.integration


async def test_the_same_seed_makes_the_same_order(ada: httpx.AsyncClient) -> None:
    id = await quiz(ada, *(multiple_choice(f"Question {number}?") for number in range(10)))
    one, again, other = [await begun(ada, id, seed=seed) for seed in (7, 7, 8)]
    assert one["questions"] == again["questions"]
    assert one["session_id"] != again["session_id"]
    assert [question["id"] for question in one["questions"]] != [question["id"] for question in other["questions"]]
    assert {question["id"] for question in one["questions"]} == {question["id"] for question in other["questions"]}
    orders = {tuple(question["options"]) for question in one["questions"]}
    assert len(orders) > 1
    fewer = await begun(ada, id, seed=7, count=4)
    assert fewer["questions"] == one["questions"][:4]
    assert (await begun(ada, id, count=100))["seed"] != (await begun(ada, id, count=100))["seed"]


async def test_a_quiz_is_started_without_a_body(ada: httpx.AsyncClient) -> None:
    id = await quiz(ada, *OF_EACH)
    answer = await ada.post(f"/quizzes/{id}/sessions")
    assert answer.status_code == 201
    shown = answer.json()
    assert answer.headers["location"] == f"/sessions/{shown['session_id']}"
    assert (shown["state"], shown["answers"]) == ("open", {})
    assert "time_left_seconds" not in shown
    fields = {question["type"]: sorted(set(question) - {"id", "type", "stem"}) for question in shown["questions"]}
    none: list[str] = []
    assert fields == {
        "multiple_choice": ["options"], "true_false": none, "fill_in_blank": ["blanks"], "short_answer": none
    }  # fmt: skip
    assert of_type(shown, "fill_in_blank")["blanks"] == 2


@pytest.mark.parametrize("how", [{"count": 0}, {"seed": -1}, {"time_limit_seconds": 0}, {"seed": "x"}, {"speed": 1}])
async def test_what_makes_no_session_is_refused(ada: httpx.AsyncClient, how: dict[str, Any]) -> None:
    answer = await ada.post(f"/quizzes/{await quiz(ada, *OF_EACH)}/sessions", json=how)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == list(how)


async def test_a_quiz_that_is_not_ready_says_why(ada: httpx.AsyncClient) -> None:
    waiting = await quiz(ada, true_false(), status="generating", message="Reading 3 documents")
    refused = await ada.post(f"/quizzes/{waiting}/sessions")
    assert refused.status_code == 409
    assert refused.json()["detail"] == "This quiz cannot be taken now: it is generating (Reading 3 documents)."
    withdrawn = await quiz(ada, true_false(retired_at=datetime.now(UTC)))
    assert (await ada.post(f"/quizzes/{withdrawn}/sessions")).status_code == 409
    assert (await ada.get("/sessions")).json()["total"] == 0


async def test_another_device_goes_on_where_the_first_was(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, *OF_EACH), time_limit_seconds=600)
    choice, statement, gaps, text = (
        of_type(session, type) for type in ("multiple_choice", "true_false", "fill_in_blank", "short_answer")
    )
    answers = {
        choice["id"]: "Augustin-Jean Fresnel", statement["id"]: False, gaps["id"]: "Fresnel", text["id"]: "It shines."
    }  # fmt: skip
    await saved(ada, session, answers)
    resumed = (await ada.get(f"/sessions/{session['session_id']}")).json()
    assert resumed["questions"] == session["questions"]
    assert resumed["answers"] == {
        choice["id"]: choice["options"].index("Augustin-Jean Fresnel"), statement["id"]: False,
        gaps["id"]: ["Fresnel", ""], text["id"]: "It shines.",
    }  # fmt: skip
    assert 590 < resumed["time_left_seconds"] <= 600
    [line] = (await ada.get("/sessions", params={"state": "open"})).json()["items"]
    assert (line["answered"], line["question_count"]) == (4, 4)


async def test_two_devices_do_not_undo_one_another(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, true_false("A."), true_false("B.")))
    one, other = (question["id"] for question in session["questions"])
    at = datetime.now(UTC)
    await saved(ada, session, {one: True}, saved_at=at.isoformat())
    await saved(ada, session, {other: True}, saved_at=(at - timedelta(seconds=50)).isoformat())
    late = {one: False, other: False}  # typed before, sent after: by a device that had lost its network
    now = await saved(ada, session, late, saved_at=(at - timedelta(seconds=20)).isoformat())
    assert now["answers"] == {one: True, other: False}
    ahead = await saved(ada, session, {one: False}, saved_at="2090-01-01T00:00:00Z")
    assert ahead["answers"][one] is False
    assert (await saved(ada, session, {one: True}))["answers"][one] is True  # the clock that was ahead won no future
    assert (await saved(ada, session, {one: None}))["answers"] == {other: False}


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("multiple_choice", 4), ("multiple_choice", -1), ("multiple_choice", True), ("multiple_choice", "Nobody"),
        ("multiple_choice", ["Thomas Young"]), ("true_false", 1), ("true_false", "true"), ("fill_in_blank", 3),
        ("fill_in_blank", ["a", "b", "c"]), ("fill_in_blank", True), ("short_answer", 3), ("short_answer", ["a"]),
    ],
)  # fmt: skip
async def test_an_answer_of_the_wrong_kind_names_its_place(ada: httpx.AsyncClient, type: str, value: Any) -> None:
    session = await begun(ada, await quiz(ada, *OF_EACH))
    wrong, good = of_type(session, type)["id"], of_type(session, "true_false")["id"]
    answers = {good: True, wrong: value}
    refused = await ada.put(f"/sessions/{session['session_id']}/answers", json={"answers": answers})
    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [["answers", wrong]]
    assert (await ada.get(f"/sessions/{session['session_id']}")).json()["answers"] == {}  # all or nothing


@pytest.mark.parametrize("answers", [{str(uuid4()): True}, {"first": True}, {str(uuid4()): {"a": 1}}, [], None])
async def test_answers_to_nothing_are_refused(ada: httpx.AsyncClient, answers: Any) -> None:
    session = await begun(ada, await quiz(ada, *OF_EACH))
    refused = await ada.put(f"/sessions/{session['session_id']}/answers", json={"answers": answers})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["loc"][0] == "answers"


@pytest.mark.parametrize(
    ("type", "value"), [("short_answer", "  "), ("fill_in_blank", ["", " "]), ("fill_in_blank", "")]
)
async def test_white_space_is_no_answer(ada: httpx.AsyncClient, type: str, value: Any) -> None:
    session = await begun(ada, await quiz(ada, *OF_EACH))
    assert (await saved(ada, session, {of_type(session, type)["id"]: value}))["answers"] == {}


async def test_time_is_up_by_the_servers_clock(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, *OF_EACH), time_limit_seconds=60)
    right = {of_type(session, "true_false")["id"]: True}
    await saved(ada, session, right)
    async with transaction() as rows:
        await rows.execute(update(QuizSession).values(ends_at=datetime.now(UTC) - timedelta(seconds=1)))
    late = await ada.put(f"/sessions/{session['session_id']}/answers", json={"answers": right})
    assert late.status_code == 409
    assert "time of this session was up" in late.json()["detail"]
    shown = (await ada.get(f"/sessions/{session['session_id']}")).json()
    assert (shown["state"], shown["time_left_seconds"]) == ("expired", 0)
    for state, number in (("open", 0), ("expired", 1), ("submitted", 0)):
        assert (await ada.get("/sessions", params={"state": state})).json()["total"] == number
    assert (await submitted(ada, session))["score"] == 1


async def test_eight_and_a_half_of_ten_are_85_percent_and_a_b(ada: httpx.AsyncClient) -> None:
    statements = [true_false(f"Statement {number}.") for number in range(9)]
    session = await begun(ada, await quiz(ada, *statements, blanks(["Fresnel"], ["Cordouan"])))
    ids = [question["id"] for question in session["questions"] if question["type"] == "true_false"]
    gaps = of_type(session, "fill_in_blank")["id"]
    await saved(ada, session, {id: number < 8 for number, id in enumerate(ids)} | {gaps: ["fresnel", "Eddystone"]})
    early = await ada.get(f"/sessions/{session['session_id']}/results")
    assert early.status_code == 400
    result = await submitted(ada, session)
    assert (result["score"], result["possible"], result["percentage"], result["grade"]) == (8.5, 10, 85.0, "B")
    assert result == (await ada.get(f"/sessions/{session['session_id']}/results")).json()
    second = await ada.post(f"/sessions/{session['session_id']}/submit")
    assert second.status_code == 409
    changed = await ada.put(f"/sessions/{session['session_id']}/answers", json={"answers": {gaps: "x"}})
    assert changed.status_code == 409
    assert result == (await ada.get(f"/sessions/{session['session_id']}/results")).json()
    assert result["by_type"] == {
        "true_false": {"questions": 9, "score": 8, "possible": 9, "percentage": 88.9},
        "fill_in_blank": {"questions": 1, "score": 0.5, "possible": 1, "percentage": 50.0},
    }


async def test_the_result_tells_what_was_right_and_where_it_stands(ada: httpx.AsyncClient) -> None:
    lens, tower = await material(ada), await material(ada, title="The tower", content="It stands in the sea. " * 5)
    questions = (
        multiple_choice(passage="made by Augustin-Jean Fresnel", passage_start=48, weight=2.0),
        true_false(passage="made by Augustin-Jean Fresnel", passage_start=48),
        blanks(["sea"], resource_id=tower, passage="It stands in the sea.", passage_start=0),
        short(*POINTS),
    )
    session = await begun(ada, await quiz(ada, *questions, resource_id=lens))
    choice, gaps = of_type(session, "multiple_choice"), of_type(session, "fill_in_blank")
    await saved(ada, session, {choice["id"]: choice["options"].index("David Brewster"), gaps["id"]: "SEA"})
    result = await submitted(ada, session)
    by_id = {question["id"]: question for question in result["questions"]}
    wrong, right = by_id[choice["id"]], by_id[gaps["id"]]
    assert wrong["right"]["text"] == "Augustin-Jean Fresnel"
    assert wrong["options"][wrong["right"]["option"]] == "Augustin-Jean Fresnel"
    assert (wrong["options"][wrong["answer"]], wrong["correct"]) == ("David Brewster", False)
    assert (wrong["points"], wrong["possible"]) == (0, 2)
    assert wrong["passage"] == {
        "resource_id": str(lens), "title": "The lens", "text": "made by Augustin-Jean Fresnel", "start": 48,
        "end": 77, "changed": False,
    }  # fmt: skip
    assert (right["correct"], right["right"]["text"]) == (True, "sea")
    sums = {one["title"]: (one["questions"], one["score"], one["possible"]) for one in result["by_resource"]}
    assert sums == {"The lens": (3, 0, 4), "The tower": (1, 1, 1)}
    both = next(one for one in result["by_passage"] if one["start"] == 48)
    assert (both["questions"], both["possible"], len(both["question_ids"])) == (2, 3, 2)
    assert (result["score"], result["possible"], result["percentage"], result["grade"]) == (1, 5, 20.0, "F")


async def test_of_many_submits_at_once_exactly_one_wins(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, *OF_EACH))
    await saved(ada, session, {of_type(session, "true_false")["id"]: True})
    answers = await asyncio.gather(*(ada.post(f"/sessions/{session['session_id']}/submit") for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7

    async def told() -> int:
        async with reading() as rows:
            return len((await rows.scalars(select(EventRow).where(EventRow.name == "quiz.session.submitted"))).all())

    assert await until(told)
    assert await told() == 1


async def test_what_is_saved_while_it_is_scored_counts(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, true_false()))
    who = Account(await me(ada), "ada", "editor", ROLES["editor"])
    async with reading() as rows:
        draft = await read(rows, who, UUID(session["session_id"]))
    await saved(ada, session, {session["questions"][0]["id"]: True})
    async with transaction() as rows:
        assert await submit(rows, who, draft, [[]], datetime.now(UTC)) is None
    assert (await submitted(ada, session))["score"] == 1


async def test_a_session_is_its_owners_alone(ada: httpx.AsyncClient, grace: httpx.AsyncClient) -> None:
    id = await quiz(ada, *OF_EACH)
    session = await begun(ada, id)
    path = f"/sessions/{session['session_id']}"
    question = session["questions"][0]["id"]
    answers = [
        await grace.post(f"/quizzes/{id}/sessions"),
        await grace.get(path),
        await grace.put(f"{path}/answers", json={"answers": {question: True}}),
        await grace.post(f"{path}/submit"),
        await grace.get(f"{path}/results"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 5
    assert (await grace.get("/sessions")).json()["total"] == 0
    assert (await grace.get("/sessions", params={"quiz_id": str(id)})).json()["total"] == 0
    assert (await submitted(ada, session))["grade"] == "F"
    assert (await grace.get(f"{path}/results")).status_code == 404


async def test_a_question_that_is_edited_later_changes_no_result(ada: httpx.AsyncClient) -> None:
    session = await begun(ada, await quiz(ada, multiple_choice()))
    await saved(ada, session, {session["questions"][0]["id"]: "Augustin-Jean Fresnel"})
    edited = {"stem": "Who?", "options": ["a", "b", "c", "d"], "answer": {"option": 0}, "weight": 9.0}
    async with transaction() as rows:
        await rows.execute(update(Question).values(**edited))
    shown = (await ada.get(f"/sessions/{session['session_id']}")).json()
    assert shown["questions"] == session["questions"]
    result = await submitted(ada, session)
    assert (result["percentage"], result["possible"]) == (100.0, 1)
    assert result["questions"][0]["right"]["text"] == "Augustin-Jean Fresnel"


async def test_nothing_of_a_deleted_document_stays(ada: httpx.AsyncClient) -> None:
    kept = await material(ada)
    gone = await material(ada, title="Secret", content="The canarysecret is here. " * 5, private=True)
    secret = {"resource_id": gone, "passage": "The canarysecret is here.", "passage_start": 0}
    id = await quiz(ada, true_false(), blanks(["canarysecret"], stem="The _____ is here.", **secret), resource_id=kept)
    before, after = await begun(ada, id), await begun(ada, id)
    gaps = of_type(before, "fill_in_blank")["id"]
    for session in (before, after):
        await saved(ada, session, {gaps: "canarysecret", of_type(session, "true_false")["id"]: True})
    assert (await submitted(ada, before))["percentage"] == 100.0
    assert (await ada.delete(f"/resources/{gone}")).status_code == 204
    shown = await ada.get(f"/sessions/{after['session_id']}")
    assert [question["type"] for question in shown.json()["questions"]] == ["true_false"]
    assert (await submitted(ada, after))["possible"] == 1
    result = await ada.get(f"/sessions/{before['session_id']}/results")
    assert (result.json()["score"], result.json()["removed"]) == (2, 1)
    assert "canarysecret" not in shown.text + result.text
    async with reading() as rows:
        copies = (await rows.scalars(select(SessionQuestion))).all()
    assert len(copies) == 2
    assert all("canarysecret" not in str(vars(copy)) for copy in copies)
    assert (await ada.delete(f"/resources/{kept}")).status_code == 204
    assert (await ada.post(f"/quizzes/{id}/sessions")).status_code == 409
    assert (await ada.get(f"/sessions/{before['session_id']}/results")).json()["grade"] == "A"


async def test_what_becomes_private_to_another_is_not_shown_any_more(
    ada: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    hers = await material(grace, content="The canaryshared text. " * 5)
    about = {"resource_id": hers, "passage": "The canaryshared text.", "passage_start": 0}
    id = await quiz(ada, true_false(), blanks(["canaryshared"], **about))
    session = await begun(ada, id)
    await submitted(ada, session)
    path = f"/sessions/{session['session_id']}/results"
    assert "canaryshared" in (await ada.get(path)).text
    assert (await grace.put(f"/resources/{hers}", json={"private": True})).status_code == 200
    assert "canaryshared" not in (await ada.get(path)).text
    assert (await ada.get(path)).json()["removed"] == 1
    assert len((await begun(ada, id))["questions"]) == 1


async def test_an_editor_asks_whether_somebody_still_takes_the_quiz(
    ada: httpx.AsyncClient, grace: httpx.AsyncClient
) -> None:
    id = await quiz(ada, *OF_EACH)
    hers, his = [Account(await me(who), "x", "editor", ROLES["editor"]) for who in (ada, grace)]

    async def taking(who: Account) -> bool:
        async with reading() as rows:
            return await open_session_of(rows, who, id)

    assert not await taking(hers)
    session = await begun(ada, id, time_limit_seconds=1)
    assert await taking(hers)
    assert not await taking(his)
    async with transaction() as rows:
        await rows.execute(update(QuizSession).values(ends_at=datetime.now(UTC) - timedelta(hours=1)))
    assert await taking(hers)
    await submitted(ada, session)
    assert not await taking(hers)


async def test_the_list_is_in_pages_newest_first(ada: httpx.AsyncClient) -> None:
    one, other = await quiz(ada, true_false()), await quiz(ada, true_false(), title="Towers")
    made = [(await begun(ada, id))["session_id"] for id in (one, other, one)]
    listed = (await ada.get("/sessions", params={"limit": 2})).json()
    assert (listed["total"], [item["session_id"] for item in listed["items"]]) == (3, [made[2], made[1]])
    assert listed["items"][1]["title"] == "Towers"
    of_one = (await ada.get("/sessions", params={"quiz_id": str(one), "offset": 1})).json()
    assert (of_one["total"], [item["session_id"] for item in of_one["items"]]) == (2, [made[0]])


async def test_events_are_for_the_owner(ada: httpx.AsyncClient, grace: httpx.AsyncClient, person: Person) -> None:
    id = await quiz(ada, true_false())
    session = await begun(ada, id)
    await submitted(ada, session)

    async def heard(who: httpx.AsyncClient) -> list[dict[str, Any]]:
        events = (await who.get("/events/history")).json()["events"]
        return [event for event in events if event["name"].startswith("quiz.session.")]

    async def both() -> bool:
        return len(await heard(ada)) == 2

    assert await until(both)
    started, done = await heard(ada)
    own = {"session_id": session["session_id"], "quiz_id": str(id), "user_id": str(await me(ada))}
    assert (started["name"], started["data"]) == ("quiz.session.started", own)
    assert (done["name"], done["data"]) == ("quiz.session.submitted", own | {"percentage": 0.0, "grade": "F"})
    assert await heard(grace) == []


async def test_documents_are_deleted_while_sessions_begin_and_end(ada: httpx.AsyncClient) -> None:
    for _ in range(5):
        source = await material(ada)
        id = await quiz(ada, true_false("A."), true_false("B.", resource_id=await material(ada)), resource_id=source)
        open_ones = [await begun(ada, id) for _ in range(3)]
        for session in open_ones:
            await saved(ada, session, {question["id"]: True for question in session["questions"]})
        submits = [ada.post(f"/sessions/{session['session_id']}/submit") for session in open_ones]
        starts = [ada.post(f"/quizzes/{id}/sessions") for _ in range(3)]
        gone, *answers = await asyncio.gather(ada.delete(f"/resources/{source}"), *submits, *starts)
        assert gone.status_code == 204
        assert {answer.status_code for answer in answers} <= {200, 201}
        async with reading() as rows:
            left = (await rows.scalars(select(SessionQuestion).where(SessionQuestion.resource_id == source))).all()
        assert left == []
