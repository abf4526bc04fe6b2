"""Verbs of reviews: take up what was answered, list what is due, rate it, leave it alone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text

from service.database import ReadSession, Session
from service.errors import NotFound
from service.outbox import emit
from service.quizzes.tables import Question
from service.resources.tables import Resource, visible
from service.reviews.days import tomorrow
from service.reviews.events import ReviewsDue
from service.reviews.memory import Memory, rating_of, reviewed
from service.reviews.tables import Review, ReviewCard
from service.security.accounts import Account
from service.security.tables import User

_TURN = text("SELECT pg_advisory_xact_lock(7262013, uuid_hash(CAST(:owner AS uuid)))")


async def take_up(session: Session, owner_id: UUID, shares: Mapping[UUID, float], now: datetime) -> None:
    """Make or update the cards of questions that were answered in a quiz, each with the share of its points."""
    there = select(Question.id).where(Question.id.in_(shares)).order_by(Question.id)
    ids = (await session.scalars(there.with_for_update(read=True, key_share=True))).all()
    await session.execute(_TURN, {"owner": owner_id})  # of two quizzes that are submitted at once, one goes first
    known = select(ReviewCard).where(ReviewCard.owner_id == owner_id, ReviewCard.question_id.in_(ids))
    cards = {
        card.question_id: card
        for card in await session.scalars(known.order_by(ReviewCard.question_id).with_for_update())
    }
    for id in ids:
        _rate(session, owner_id, id, cards.get(id), rating_of(shares[id]), now)
    await session.flush()


def _rate(
    session: Session, owner_id: UUID, question_id: UUID, card: ReviewCard | None, rating: int, now: datetime
) -> ReviewCard:
    before = None if card is None else memory_of(card)
    after = reviewed(before, rating, now)
    if card is None:
        card = ReviewCard(owner_id=owner_id, question_id=question_id, reviews=0, lapses=0)
        session.add(card)
    for name in ("state", "step", "stability", "difficulty", "due", "last_review"):
        setattr(card, name, getattr(after, name))
    card.reviews += 1
    card.lapses += int(before is not None and before.state == "review" and rating == 1)
    session.add(
        Review(
            owner_id=owner_id,
            question_id=question_id,
            rating=rating,
            state=None if before is None else before.state,
            elapsed_days=None if before is None else (now - before.last_review).days,
            reviewed_at=now,
        )
    )
    return card


def memory_of(card: ReviewCard) -> Memory:
    """Return what a card says is remembered."""
    return Memory(card.state, card.step, card.stability, card.difficulty, card.due, card.last_review)


class Source(NamedTuple):
    """What is said of the resource that a question rests on, and the hash of its present text."""

    title: str
    content_hash: str | None


def reviewable(account: Account) -> Select[*tuple[Any, ...]]:
    """Select an account's cards with their questions: those that are asked at all, of what the account may see."""
    cards = select(ReviewCard, Question, Resource.title, Resource.content_hash)
    cards = cards.join(Question, Question.id == ReviewCard.question_id)
    cards = cards.join(Resource, Resource.id == Question.resource_id)
    return cards.where(ReviewCard.owner_id == account.id, Question.retired_at.is_(None), visible(account))


def is_due(now: datetime, where: ZoneInfo) -> ColumnElement[bool]:
    """Return the condition under which a card is due: by day, but what was just forgotten by the minute."""
    by_day = and_(ReviewCard.state == "review", ReviewCard.due < tomorrow(now, where))
    by_minute = and_(ReviewCard.state == "relearning", ReviewCard.due <= now)
    return and_(ReviewCard.suspended_at.is_(None), or_(by_day, by_minute))


async def due(
    session: ReadSession, account: Account, now: datetime, where: ZoneInfo, *, limit: int, offset: int
) -> tuple[int, list[tuple[ReviewCard, Question]]]:
    """Return how many cards are due, and some of them: what was just forgotten first, then the longest due."""
    matching = reviewable(account).where(is_due(now, where))
    total = await session.scalar(
        select(func.count()).select_from(matching.with_only_columns(ReviewCard.question_id).subquery())
    )
    order = (ReviewCard.state == "review", ReviewCard.due, ReviewCard.question_id)
    page = matching.with_only_columns(ReviewCard, Question).order_by(*order).limit(limit).offset(offset)
    return total or 0, [(card, question) for card, question in await session.execute(page)]


async def announce_due(session: Session, now: datetime) -> int:
    """Emit reviews.due for everybody to whom questions come back on this day (UTC); returns for how many people."""
    cards = select(ReviewCard.owner_id, func.count()).join(Question, Question.id == ReviewCard.question_id)
    cards = cards.join(Resource, Resource.id == Question.resource_id)
    cards = cards.join(User, User.id == ReviewCard.owner_id)
    seen = or_(~Resource.private, Resource.owner_id == ReviewCard.owner_id)
    cards = cards.where(is_due(now, ZoneInfo("UTC")), Question.retired_at.is_(None), User.disabled_at.is_(None), seen)
    rows = (await session.execute(cards.group_by(ReviewCard.owner_id).order_by(ReviewCard.owner_id))).all()
    for owner_id, count in rows:
        emit(session, ReviewsDue(user_id=owner_id, count=count), audience=owner_id)
    return len(rows)


async def card_of(
    session: ReadSession, account: Account, question_id: UUID, *, lock: bool = False
) -> tuple[ReviewCard, Question, Source]:
    """Return an account's card with its question and that one's resource; raises NotFound."""
    one = reviewable(account).where(ReviewCard.question_id == question_id)
    one = one.with_for_update(of=ReviewCard) if lock else one
    found = (await session.execute(one)).one_or_none()
    if found is None:
        raise NotFound(what="review", id=question_id)
    return found[0], found[1], Source(found[2], found[3])


async def rate(session: Session, account: Account, question_id: UUID, rating: int, now: datetime) -> ReviewCard:
    """Say how well a question was remembered, 1 to 4; raises NotFound."""
    card, _, _ = await card_of(session, account, question_id, lock=True)
    _rate(session, account.id, question_id, card, rating, now)
    await session.flush()
    return card


async def suspend(session: Session, account: Account, question_id: UUID, now: datetime | None) -> ReviewCard:
    """Leave a card out from `now` on, or, without a time, no longer; raises NotFound."""
    card, _, _ = await card_of(session, account, question_id, lock=True)
    if (card.suspended_at is None) != (now is None):
        card.suspended_at = now
        await session.flush()
    return card


def shown(card: ReviewCard) -> dict[str, Any]:
    """Return a card as it is answered."""
    names = ("question_id", "state", "stability", "difficulty", "due", "last_review", "reviews", "lapses")
    return {name: getattr(card, name) for name in names} | {"suspended": card.suspended_at is not None}
