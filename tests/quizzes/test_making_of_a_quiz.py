"""From a request to the questions in the database."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, text, update

from service.database import reading, transaction
from service.events import Envelope
from service.hooks import HOOKS
from service.queue.events import BackgroundTaskFailed
from service.quizzes import editing, progress
from service.quizzes.drafts import Draft
from service.quizzes.events import QuizReplacementRequested, QuizRequested
from service.quizzes.generation import generate
from service.quizzes.listening import record_end
from service.quizzes.tables import Question, Quiz
from service.quizzes.validation import faults
from service.resources import actions as resources
from service.resources.tables import Resource
from service.security.accounts import Account
from service.tasks import GENERATE, QUIZZES, RECONCILE, REPLACE
from tests.quizzes.conftest import Run, add, ask, questions, quiz, told
from tests.quizzes.samples import CELLS, GERMAN, PLANETS, TABLE

pytestmark = pytest.mark.integration


def test_the_table_makes_quizzes_in_their_own_queue() -> None:
    rows = {(row.event, row.run) for row in HOOKS}
    assert {(QuizRequested, GENERATE), (QuizReplacementRequested, REPLACE)} <= rows
    assert (GENERATE.queue, GENERATE.retries, GENERATE.name) == (QUIZZES, 2, GENERATE.name)


async def test_a_quiz_is_made_with_the_passage_of_each_question(ada: Account, run: Run) -> None:
    id = await add(ada, "Cells", CELLS)
    quiz_id = await ask(ada, id, num_questions=12)
    assert (await quiz(quiz_id)).status == "pending"
    assert await run(GENERATE, quiz_id) == {"questions": 12}
    made = await quiz(quiz_id)
    assert (made.status, made.percent, made.generator, made.message) == ("ready", 100, "rules", None)
    found = await questions(quiz_id)
    assert [question.position for question in found] == list(range(12))
    assert {question.type for question in found} == {"multiple_choice", "true_false", "fill_in_blank", "short_answer"}
    for question in found:
        assert question.resource_id == id
        assert CELLS[question.passage_start :].startswith(question.passage)
        options = None if question.options is None else tuple(question.options)
        draft = Draft(question.type, question.stem, question.answer, question.passage, question.passage_start, options)  # pyright: ignore[reportArgumentType]
        assert faults(draft, CELLS) == []
    assert [row.audience for row in await told("quiz.generated")] == [ada.id]
    assert (await told("quiz.generated"))[0].data == {"quiz_id": str(quiz_id), "user_id": str(ada.id), "questions": 12}
    started = {"quiz_id": str(quiz_id), "user_id": str(ada.id), "num_questions": 12}
    assert [row.data for row in await told("quiz.generation.started")] == [started]
    percents = [row.data["progress"] for row in await told("quiz.generation.progress")]
    assert percents == sorted(percents)
    assert len(percents) >= 2


async def test_the_same_quiz_made_twice_has_the_same_rows_once(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Cells", CELLS))
    async with transaction() as session:
        job = await progress.begin(session, quiz_id)
    assert job is not None
    made = generate(job.materials, job.neighbours, job.asked)
    assert made == generate(job.materials, job.neighbours, job.asked)
    await run(GENERATE, quiz_id)
    before = [(question.id, question.stem) for question in await questions(quiz_id)]
    async with transaction() as session:
        assert not await progress.keep(session, job, made.drafts, "rules", None)
    assert await run(GENERATE, quiz_id) == {"questions": 0}
    assert [(question.id, question.stem) for question in await questions(quiz_id)] == before
    assert [stem for _, stem in before] == [draft.stem for draft in made.drafts]


async def test_questions_of_a_text_that_changed_meanwhile_are_made_again(ada: Account) -> None:
    id = await add(ada, "Cells", CELLS)
    quiz_id = await ask(ada, id)
    async with transaction() as session:
        job = await progress.begin(session, quiz_id)
    assert job is not None
    made = generate(job.materials, job.neighbours, job.asked)
    async with transaction() as session:
        await resources.change(session, ada, id, {"content": PLANETS})
    with pytest.raises(progress.TextChanged):
        async with transaction() as session:
            await progress.keep(session, job, made.drafts, "rules", None)
    assert progress.TextChanged.transient
    assert await questions(quiz_id) == []


async def test_a_text_of_tables_gives_no_quiz_and_says_so(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Numbers", TABLE))
    assert await run(GENERATE, quiz_id) == {"questions": 0}
    made = await quiz(quiz_id)
    assert made.status == "failed"
    assert made.message is not None
    assert "Tables, lists, code and headings give no questions" in made.message
    failed = await told("quiz.generation.failed")
    assert [(row.audience, row.data["error"]) for row in failed] == [(ada.id, made.message)]
    assert await questions(quiz_id) == []


async def test_fewer_questions_than_asked_for_are_said(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Planets", PLANETS), num_questions=50)
    await run(GENERATE, quiz_id)
    made, found = await quiz(quiz_id), await questions(quiz_id)
    assert made.status == "ready"
    assert 5 <= len(found) < 50
    assert made.message == f"The text gave {len(found)} good questions of the 50 that were asked for."


async def test_another_language_gives_keywords_and_says_so(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Zellen", GERMAN, language="de"), num_questions=5)
    await run(GENERATE, quiz_id)
    made, found = await quiz(quiz_id), await questions(quiz_id)
    assert {question.type for question in found} == {"fill_in_blank"}
    assert made.message is not None
    assert made.message.startswith("Questions of all types are made of English only; of de there are")


async def test_another_language_and_no_type_for_it_fails(ada: Account, run: Run) -> None:
    id = await add(ada, "Zellen", GERMAN, language="de")
    quiz_id = await ask(ada, id, question_types=("true_false",))
    await run(GENERATE, quiz_id)
    made = await quiz(quiz_id)
    assert made.status == "failed"
    assert made.message is not None
    assert "Ask for fill_in_blank" in made.message


async def test_a_deleted_quiz_is_not_made(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Cells", CELLS))
    async with transaction() as session:
        await session.delete(await session.get_one(Quiz, quiz_id))
    assert await run(GENERATE, quiz_id) == {"questions": 0}
    assert await told("quiz.generated") == []


@pytest.mark.parametrize(("error", "said"), [("cancelled", "Somebody cancelled it."), ("Boom: x", "Boom: x")])
async def test_a_task_that_is_given_up_gives_up_its_quiz(ada: Account, error: str, said: str) -> None:
    quiz_id = await ask(ada, await add(ada, "Cells", CELLS))
    other = await ask(ada, await add(ada, "Planets", PLANETS))
    task_id = (await quiz(quiz_id)).task_id
    facts = {"task_id": str(task_id), "queue": "quizzes", "attempts": 3, "error": error, "reason": "r"}
    for name in ("regenerate_embedding", GENERATE.name):
        await record_end(Envelope.of(BackgroundTaskFailed(task_name=name, **facts)))  # pyright: ignore[reportArgumentType]
    made = await quiz(quiz_id)
    assert made.status == "failed"
    assert made.message is not None
    assert said in made.message
    assert (await quiz(other)).status == "pending"


async def test_the_reconciler_asks_again_for_what_an_emptied_redis_forgot(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Cells", CELLS))
    young = await ask(ada, await add(ada, "Planets", PLANETS))
    async with transaction() as session:
        old = update(Quiz).where(Quiz.id == quiz_id).values(created_at=func.now() - timedelta(hours=1))
        await session.execute(old)
    found = await run(RECONCILE)
    assert found["quizzes"] == 1
    assert [row.data["quiz_id"] for row in await told("quiz.stalled")] == [str(quiz_id)]
    await run(GENERATE, quiz_id)
    await run(GENERATE, young)
    assert (await run(RECONCILE))["quizzes"] == 0


async def test_another_question_takes_the_place_of_one(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Cells", CELLS))
    await run(GENERATE, quiz_id)
    before = await questions(quiz_id)
    old = before[3]
    done = await run(REPLACE, old.id)
    assert done["replaced"]
    after = await questions(quiz_id)
    assert len(after) == 11
    (new,) = [question for question in after if question.id == UUID(done["question_id"])]
    (retired,) = [question for question in after if question.retired_at is not None]
    assert (retired.id, new.position, new.retired_at) == (old.id, old.position, None)
    assert new.stem not in {question.stem for question in before}
    assert (new.passage_start) not in {question.passage_start for question in before}
    assert await run(REPLACE, old.id) == {"replaced": False}
    (event,) = await told("quiz.question_replaced")
    assert (event.audience, event.data["new_id"]) == (ada.id, str(new.id))


async def test_where_a_text_gives_no_other_question_the_old_one_stays(ada: Account, run: Run) -> None:
    quiz_id = await ask(ada, await add(ada, "Planets", PLANETS), num_questions=50)
    await run(GENERATE, quiz_id)
    done: dict[str, Any] = {"replaced": True}
    while done["replaced"]:
        asked = next(one for one in await questions(quiz_id) if one.retired_at is None)
        done = await run(REPLACE, asked.id)
    assert done == {"replaced": False, "message": "The text gives no other question."}


async def test_what_is_deleted_or_hidden_meanwhile_is_not_asked_about(ada: Account, grace: Account, run: Run) -> None:
    mine, theirs = await add(ada, "Cells", CELLS), await add(grace, "Planets", PLANETS)
    quiz_id = await ask(ada, mine, theirs)
    async with transaction() as session:
        await session.execute(update(Resource).where(Resource.id == theirs).values(private=True))
    await run(GENERATE, quiz_id)
    assert {question.resource_id for question in await questions(quiz_id)} == {mine}


async def test_distractors_come_from_the_same_persons_other_texts_only(ada: Account, grace: Account) -> None:
    id = await add(ada, "Cells", CELLS)
    other = await add(ada, "Planets", PLANETS)
    await add(grace, "Not hers", CELLS.replace("cell", "atom"))
    quiz_id = await ask(ada, id)
    async with transaction() as session:
        job = await progress.begin(session, quiz_id)
    assert job is not None
    assert [one.content for one in job.neighbours] == [PLANETS]
    async with transaction() as session:
        await session.execute(text("DELETE FROM resources WHERE id = :id"), {"id": other})


async def test_nothing_replaces_what_is_not_there(run: Run) -> None:
    assert await run(REPLACE, uuid4()) == {"replaced": False}
    async with reading() as session:
        assert await editing.replacing(session, uuid4()) is None
        assert await session.get(Question, uuid4()) is None
