"""Verbs of profiles: gather what one is made from, keep it, forget it, find those that are behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import delete, text

from service.cache import forgetting
from service.database import ReadSession, Session, Statement
from service.outbox import emit
from service.recommendations.events import EVERY, ProfileStale, ProfileUpdated
from service.recommendations.history import history, vectors
from service.recommendations.interests import Interests, Touched
from service.recommendations.tables import Interaction, InteractionCount, RecommendationProfile

VERSION = "profile/1"
WAITING = 1200.0  # seconds: its task, which waits for up to 900, has had its time

_COUNT = text(
    """SELECT c.total, c.began_at, p.total AS made_at, p.input_hash
    FROM interaction_counts c JOIN users u ON u.id = c.user_id
    LEFT JOIN recommendation_profiles p ON p.user_id = c.user_id
    WHERE c.user_id = :account AND u.disabled_at IS NULL"""
)
# The user is locked before the count, as a deletion goes: whichever comes first, the other sees it.
_KEEP = Statement(
    """WITH active AS MATERIALIZED (
        SELECT id FROM users WHERE id = :account AND disabled_at IS NULL FOR KEY SHARE
    ),
    counted AS MATERIALIZED (
        SELECT c.user_id FROM interaction_counts c JOIN active ON c.user_id = active.id
        WHERE c.began_at = :began FOR KEY SHARE OF c
    )
    INSERT INTO recommendation_profiles AS p
        (user_id, input_hash, total, resources, centre, subjects, authors, computed_at)
    SELECT user_id, CAST(:input_hash AS text), CAST(:total AS int), CAST(:resources AS int), CAST(:centre AS real[]),
        CAST(CAST(:subjects AS text) AS jsonb), CAST(CAST(:authors AS text) AS jsonb), now()
    FROM counted
    ON CONFLICT (user_id) DO UPDATE SET input_hash = excluded.input_hash, total = excluded.total,
        resources = excluded.resources, centre = excluded.centre, subjects = excluded.subjects,
        authors = excluded.authors, computed_at = excluded.computed_at
    WHERE p.total <= excluded.total AND (p.total, p.input_hash) <> (excluded.total, excluded.input_hash)
    RETURNING 1"""
)
_NOTED = Statement(
    """UPDATE recommendation_profiles SET total = :total
    WHERE user_id = :account AND input_hash = :input_hash AND total < :total"""
)
_STALE = text(
    """SELECT c.user_id FROM interaction_counts c
    JOIN users u ON u.id = c.user_id AND u.disabled_at IS NULL
    LEFT JOIN recommendation_profiles p ON p.user_id = c.user_id
    WHERE c.total - coalesce(p.total, 0) >= :every AND c.last_at < now() - make_interval(secs => :age)
        AND NOT EXISTS (SELECT FROM dead_letters l WHERE l.name = :task AND l.failed_at > c.last_at
            AND l.arguments ->> 'user_id' = CAST(c.user_id AS text))
    ORDER BY c.last_at, c.user_id LIMIT :most"""
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a profile is to be made from; `is_known`: the stored one was made from the same."""

    account_id: UUID
    total: int
    began_at: datetime
    touched: list[Touched]
    vectors: dict[UUID, Sequence[float]]
    input_hash: str
    is_known: bool


def _hash(touched: list[Touched]) -> str:
    made_of = [
        [str(one.id), one.interaction_type, one.weight, *sorted(one.subjects), "by", *sorted(one.authors),
         one.embedding_hash]
        for one in touched
    ]  # fmt: skip
    return sha256(orjson.dumps([VERSION, made_of])).hexdigest()


async def gather(session: ReadSession, account_id: UUID) -> Draft | None:
    """Read what the profile of an account is made from.

    None for an account that is gone, disabled, or has no interactions, and where the profile is up to date.
    """
    counted = (await session.execute(_COUNT, {"account": account_id})).one_or_none()
    if counted is None:
        return None
    touched = await history(session, account_id)
    made_from = _hash(touched)
    is_known = counted.input_hash == made_from
    if is_known and counted.made_at >= counted.total:
        return None
    meanings = {} if is_known else await vectors(session, touched)
    return Draft(account_id, counted.total, counted.began_at, touched, meanings, made_from, is_known)


async def keep(session: Session, draft: Draft, profile: Interests) -> bool:
    """Store a profile; False where a newer one is there, and where the user is gone or had all forgotten since."""
    written = await session.fetch(
        _KEEP,
        account=draft.account_id,
        began=draft.began_at,
        input_hash=draft.input_hash,
        total=draft.total,
        resources=len(draft.touched),
        centre=profile.centre,
        subjects=orjson.dumps(profile.subjects).decode(),
        authors=orjson.dumps(profile.authors).decode(),
    )
    if written:
        emit(session, ProfileUpdated(user_id=draft.account_id), audience=draft.account_id)
    return bool(written)


async def note(session: Session, draft: Draft) -> None:
    """Write down that the newer interactions change nothing: what they touched is gone, or out of sight."""
    await session.fetch(_NOTED, account=draft.account_id, input_hash=draft.input_hash, total=draft.total)


async def forget(session: Session, account_id: UUID) -> None:
    """Forget all that an account ever touched, and what was made of it; dismissals stay."""
    for table in (InteractionCount, RecommendationProfile, Interaction):
        await session.execute(delete(table).where(table.user_id == account_id))
    forgetting.after(session, f"user:{account_id}", f"recommendations:{account_id}")


async def announce_stale(session: Session, task: str, limit: int = 500, age: float = WAITING) -> int:
    """Ask again for profiles that ten or more interactions are not in, the last of them `age` seconds old.

    What failed for good as `task` waits for another interaction. Returns how many there were.
    """
    parameters: dict[str, Any] = {"every": EVERY, "age": age, "task": task, "most": limit}
    users = (await session.scalars(_STALE, parameters)).all()
    for user_id in users:
        emit(session, ProfileStale(user_id=user_id), audience=user_id)
    return len(users)
