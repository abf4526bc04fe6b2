"""Actors of quizzes: the questions of one, another one in the place of one."""

from typing import Any
from uuid import UUID

from service.database import reading, transaction
from service.queue import actor, in_process
from service.queue import progress as told
from service.quizzes import editing, progress
from service.quizzes.drafts import TYPES, Asked, Made
from service.quizzes.generation import generate
from service.quizzes.replacements import replacement
from service.quizzes.writing import write
from service.tasks import GENERATE, REPLACE


@actor(GENERATE)
async def generate_quiz(quiz_id: UUID) -> dict[str, Any]:
    """Make the questions of a quiz; no session is open meanwhile, and they are computed in a process."""
    async with transaction() as session:
        job = await progress.begin(session, quiz_id)
    if job is None:
        return {"questions": 0}

    async def tell(percent: int, message: str) -> None:
        told(percent, 100, message)
        async with transaction() as session:
            await progress.advance(session, quiz_id, percent, message)

    async def by_rules(asked: Asked) -> Made:
        return await in_process(generate, job.materials, job.neighbours, asked)

    result = await write(job.materials, job.asked, by_rules, tell)
    async with transaction() as session:
        kept = await progress.keep(session, job, result.made.drafts, result.generator, result.made.message)
    return {"questions": len(result.made.drafts) if kept else 0}


@actor(REPLACE)
async def replace_question(question_id: UUID) -> dict[str, Any]:
    """Make another question of the text that one rests on, and put it in its place."""
    async with reading() as session:
        asked = await editing.replacing(session, question_id)
    if asked is None:
        return {"replaced": False}
    types = (asked.type, *(type for type in TYPES if type in asked.job.asked.types and type != asked.type))
    ids = [one.id for one in asked.job.found]
    taken = frozenset((ids.index(id), start) for id, start in asked.passages if id in ids)
    wanted = Asked(1, types, asked.job.asked.difficulty, asked.job.asked.seed + len(asked.stems))  # pyright: ignore[reportArgumentType]
    draft = await in_process(
        replacement, asked.job.materials, asked.job.neighbours, wanted, asked.source, taken, asked.stems
    )
    if draft is None:
        return {"replaced": False, "message": "The text gives no other question."}
    async with transaction() as session:
        new_id = await editing.replace(session, asked, draft)
    return {"replaced": new_id is not None, "question_id": str(new_id) if new_id else None}
