"""The pages of quizzes: the list with the form that makes one, and the questions for their owner to edit."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import Response

from service.collections.tables import Collection, readable
from service.database import ReadSession, reading
from service.live.hub import newest
from service.quizzes import actions, editing
from service.quizzes.drafts import DIFFICULTIES, TYPES
from service.quizzes.editing import NotReady
from service.quizzes.secrecy import SessionOpen
from service.resources.tables import Resource, visible
from service.security.accounts import Account
from service.ui.pages import render
from service.web import Paged, account, path_id, query

CHOICES = 60  # items, and collections, that the form offers
MOST = 50  # questions of a quiz


class Asked(Paged):
    """Which page of the list; `resource_id` is chosen in the form."""

    resource_id: UUID | None = None


async def quizzes_page(request: Request) -> Response:
    """List your quizzes, and offer to make one."""
    asked, who = query(request, Asked), account(request)
    at = await newest()  # before the rows are read: what happens after it is told by the stream
    async with reading() as session:
        total, quizzes = await actions.browse(session, who, asked.limit, asked.offset)
        items, collections = await _choices(session, who, asked.resource_id)
    return render(
        request,
        "quizzes.html",
        position=at,
        quizzes=quizzes,
        total=total,
        asked=asked,
        items=items,
        collections=collections,
        types=TYPES,
        difficulties=DIFFICULTIES,
    )


async def _choices(session: ReadSession, who: Account, first: UUID | None) -> tuple[list[Any], list[Any]]:
    """Return the items and collections that a quiz may be made of: the chosen one and the newest, own ones first."""
    own = Resource.owner_id == who.id
    items = (
        select(Resource.id, Resource.title, Resource.word_count)
        .where(visible(who), Resource.status == "completed", Resource.word_count > 0)
        .order_by((Resource.id == first).desc(), own.desc(), Resource.created_at.desc(), Resource.id)
    )
    if first is None:
        items = items.order_by(None).order_by(own.desc(), Resource.created_at.desc(), Resource.id)
    collections = select(Collection.id, Collection.name).where(readable(who)).order_by(func.lower(Collection.name))
    return (
        list((await session.execute(items.limit(CHOICES))).all()),
        list((await session.execute(collections.limit(CHOICES))).all()),
    )


async def quiz_page(request: Request) -> Response:
    """Show the questions of your own quiz, to be edited."""
    who, id = account(request), path_id(request, what="quiz")
    at = await newest()  # before the rows are read: what happens after it is told by the stream
    async with reading() as session:
        quiz = await actions.read(session, who, id)
        questions: list[dict[str, Any]] = []
        taking = False
        try:
            _, questions = await editing.questions(session, who, id, MOST, 0)
        except NotReady:
            pass
        except SessionOpen:
            taking = True
    return render(
        request, "quiz.html", position=at, quiz=quiz, questions=questions, taking=taking, difficulties=DIFFICULTIES
    )
