"""What came of a session: the score, by type, by resource, by passage, and each question with its right answer."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from service.database import ReadSession
from service.errors import PharosError
from service.quiz_sessions.actions import Sitting, read
from service.quiz_sessions.scoring import percentage
from service.quiz_sessions.tables import SessionQuestion
from service.resources.tables import Resource
from service.security.accounts import Account


class NotSubmitted(PharosError):
    """This session is not submitted yet; its results are there once it is."""

    status = 400


async def results(session: ReadSession, account: Account, session_id: UUID) -> dict[str, Any]:
    """Return the results of a submitted session of this account; raises NotFound, NotSubmitted."""
    sitting = await read(session, account, session_id)
    row = sitting.row
    if row.submitted_at is None:
        raise NotSubmitted
    ids = {one.resource_id for one in sitting.asked}
    chosen = select(Resource.id, Resource.title, Resource.content_hash).where(Resource.id.in_(ids))
    sources = {id: (title, hash) for id, title, hash in await session.execute(chosen)}
    return {
        "session_id": row.id,
        "quiz_id": row.quiz_id,
        "title": sitting.title,
        "started_at": row.started_at,
        "submitted_at": row.submitted_at,
        "score": round(row.score or 0, 4),
        "possible": row.possible,
        "percentage": row.percentage,
        "grade": row.grade,
        "question_count": row.question_count,
        "removed": row.question_count - len(sitting.asked),
        "by_type": {name: _totals(group) for name, group in _groups(sitting, lambda one: one.type).items()},
        "by_resource": [
            {"resource_id": id, "title": sources[id][0], **_totals(group)}
            for id, group in _groups(sitting, lambda one: one.resource_id).items()
        ],
        "by_passage": [
            {
                "resource_id": group[0].resource_id,
                "start": group[0].passage_start,
                "text": group[0].passage,
                "question_ids": [one.question_id for one in group],
                **_totals(group),
            }
            for group in _groups(sitting, lambda one: (one.resource_id, one.passage_start, one.passage)).values()
        ],
        "questions": [_question(one, sources) for one in sitting.asked],
    }


def _groups(sitting: Sitting, by: Callable[[SessionQuestion], Hashable]) -> dict[Any, list[SessionQuestion]]:
    groups: dict[Any, list[SessionQuestion]] = {}
    for one in sitting.asked:
        groups.setdefault(by(one), []).append(one)
    return groups


def _totals(group: Sequence[SessionQuestion]) -> dict[str, Any]:
    score, possible = sum(one.points or 0 for one in group), sum(one.weight for one in group)
    total = {"questions": len(group), "score": round(score, 4), "possible": possible}
    return {**total, "percentage": percentage(score, possible)}


def _question(one: SessionQuestion, sources: Mapping[UUID, tuple[str, str | None]]) -> dict[str, Any]:
    title, content_hash = sources[one.resource_id]
    return {
        "id": one.question_id,
        "type": one.type,
        "stem": one.stem,
        "options": one.options,
        "answer": one.answer,
        "correct": math.isclose(one.points or 0, one.weight),
        "points": round(one.points or 0, 4),
        "possible": one.weight,
        "right": right_answer(one.type, one.options, one.key),
        "verdict": one.verdict,
        "passage": {
            "resource_id": one.resource_id,
            "title": title,
            "text": one.passage,
            "start": one.passage_start,
            "end": one.passage_start + len(one.passage),
            "changed": content_hash != one.content_hash,  # the text was changed since: it may be elsewhere, or gone
        },
    }


def right_answer(type: str, options: Sequence[str] | None, key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key of a question for whoever may see it: `text` to read, and what it is by type."""
    match type:
        case "multiple_choice":
            return {"text": (options or [])[key["option"]], "option": key["option"]}
        case "true_false":
            return {"text": "True" if key["value"] else "False", "value": key["value"]}
        case "fill_in_blank":
            return {"text": ", ".join(texts[0] for texts in key["blanks"] if texts), "blanks": key["blanks"]}
        case _:
            points = [point["text"] for point in key.get("key_points") or ()]
            return {"text": key["text"], "key_points": points}
