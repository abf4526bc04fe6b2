"""A question that is reviewed: shown without its key, then with it."""

from datetime import datetime
from typing import Any

from service.errors import Invalid
from service.quiz_sessions.answers import Value, WrongKind, kept_form
from service.quiz_sessions.asked import Asked
from service.quiz_sessions.order import arranged
from service.quiz_sessions.results import right_answer
from service.quiz_sessions.scoring import mark
from service.quiz_sessions.similarity import nearness
from service.quizzes.tables import Question
from service.reviews.actions import Source, memory_of
from service.reviews.memory import rating_of, reviewed
from service.reviews.tables import ReviewCard


def prompt(card: ReviewCard, question: Question) -> Asked:
    """Return a question as this review asks it: the order of its options changes from review to review."""
    options, key = arranged(question.options, question.answer, f"{card.reviews}:{question.id}")
    return Asked(question.id, question.type, question.stem, options, key, question.passage)


def shown(card: ReviewCard, question: Question) -> dict[str, Any]:
    """Return a question that is due, without its key."""
    asked = prompt(card, question)
    return {
        "question_id": asked.id,
        "quiz_id": question.quiz_id,
        "type": asked.type,
        "stem": asked.stem,
        "options": asked.options,
        "blanks": asked.blanks,
        "state": card.state,
        "due": card.due,
    }


async def revealed(
    card: ReviewCard, question: Question, source: Source, answer: Value, now: datetime
) -> dict[str, Any]:
    """Return the key of a question with its passage, what an answer is worth, and when each rating brings it back.

    Raises Invalid where the question does not take this answer.
    """
    asked = prompt(card, question)
    try:
        given = kept_form(asked, answer)
    except WrongKind as fault:
        errors = [{"loc": ["answer"], "msg": str(fault)}]
        raise Invalid(f"The answer cannot be taken: {fault}.", errors=errors) from None
    share = None
    if given is not None:
        [near] = await nearness([asked], [given])
        share = mark(asked, given, near).share
    memory = memory_of(card)
    return {
        "question_id": asked.id,
        "right": right_answer(asked.type, asked.options, asked.key),
        "answer": given,
        "share": None if share is None else round(share, 4),
        "suggested_rating": None if share is None else rating_of(share),
        "next": {str(rating): reviewed(memory, rating, now).due for rating in (1, 2, 3, 4)},
        "passage": {
            "resource_id": question.resource_id,
            "title": source.title,
            "text": question.passage,
            "start": question.passage_start,
            "end": question.passage_start + len(question.passage),
            "changed": source.content_hash != question.content_hash,
        },
    }
