"""From what a user touched to what that user might read next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from service.database import ReadSession, reading
from service.recommendations.candidates import CENTRAL, alike, details, near, newest, touched_together
from service.recommendations.diversity import mmr
from service.recommendations.history import MADE_OF, history, vectors
from service.recommendations.interests import Interests, Touched, interests
from service.recommendations.scoring import Candidate, Near, parts, scores, why
from service.recommendations.signals import Signals, leaders, signals
from service.recommendations.tables import RecommendationProfile

POOL = 100  # candidates, the best, from which the list is made
BESIDE = 30  # of one's own resources, the heaviest, to which candidates are compared


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A resource, what it is worth to the user, 0 to 1, and why."""

    id: UUID
    title: str
    url: str | None
    score: float
    why: str


async def recommend(
    account_id: UUID, limit: int, offset: int = 0, now: datetime | None = None
) -> tuple[int, list[Recommendation]]:
    """Return how many recommendations there are, at most `POOL`, and one page of them.

    The order is that of maximal marginal relevance, so that the scores need not fall. It depends on what is stored and
    the hour alone.
    """
    now = now or datetime.now(UTC)
    async with reading() as session:
        touched = await history(session, account_id)
        profile = await _profile(session, account_id, touched)
        found = await _candidates(session, account_id, touched, profile)
        first = [parts(one, profile.subjects, profile.authors, now) for one in found]
        ranked = sorted(zip(scores(first), found, strict=True), key=lambda one: (-one[0], one[1].id))
        pool = [one for _, one in ranked[:POOL]]
        back = {one.id for one in pool}
        beside = [one for one in touched if one.embedding_hash and one.id not in back][:BESIDE]
        similar = await alike(session, [one.id for one in pool], [one.id for one in beside])
    nears = [_nearest(row[len(pool) :], beside) for row in similar]
    its = [
        parts(one, profile.subjects, profile.authors, now, near.similarity if near else None)
        for one, near in zip(pool, nears, strict=True)
    ]
    worth = scores(its)
    order = mmr(worth, [row[: len(pool)] for row in similar], offset + limit)[offset:]
    return len(pool), [
        Recommendation(
            pool[place].id,
            pool[place].title,
            pool[place].url,
            round(worth[place], 4),
            why(pool[place], its[place], profile.subjects, profile.authors, nears[place], now),
        )
        for place in order
    ]


async def _profile(session: ReadSession, account_id: UUID, touched: Sequence[Touched]) -> Interests:
    """Return the stored profile; until there is one, what the few interactions make."""
    stored = await session.get(RecommendationProfile, account_id)
    if stored is not None:
        return Interests(stored.centre, stored.subjects, stored.authors)
    heaviest = touched[:MADE_OF]
    return interests(heaviest, await vectors(session, heaviest))


async def _candidates(
    session: ReadSession, account_id: UUID, touched: Sequence[Touched], profile: Interests
) -> list[Candidate]:
    centre = None if profile.centre is None else "[" + ",".join(f"{value:.7g}" for value in profile.centre) + "]"
    ids = {*await newest(session, account_id), *await leaders(session, account_id, CENTRAL)}
    if centre is not None:
        ids.update(await near(session, account_id, centre))
    shared = await touched_together(session, account_id, touched)
    rows = await details(session, account_id, ids | shared.keys(), centre)
    known = await signals(session, account_id, [row["id"] for row in rows])
    titles = {one.id: one.title for one in touched}
    found = [_candidate(row, known.get(row["id"], Signals())) for row in rows]
    if shared:
        found = [
            replace(one, collaborative=shared[one.id][0], together_with=titles[shared[one.id][1]])
            if one.id in shared
            else replace(one, collaborative=0.0)
            for one in found
        ]
    return _without_copies(found, touched)


def _candidate(row: Any, known: Signals) -> Candidate:
    return Candidate(**row, signals=known)


def _without_copies(found: Sequence[Candidate], touched: Sequence[Touched]) -> list[Candidate]:
    """Return one of each text, the oldest, and none that was touched under another id."""
    back = {one.id for one in found}
    seen = {one.content_hash for one in touched if one.id not in back}
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda one: (one.created_at, one.id)):
        if one.content_hash not in seen:
            seen.add(one.content_hash)
            kept.append(one)
    return kept


def _nearest(similar: Sequence[float], beside: Sequence[Touched]) -> Near | None:
    if not beside:
        return None
    place = max(range(len(beside)), key=lambda place: (similar[place], -place))
    return Near(beside[place].title, beside[place].interaction_type, similar[place])
