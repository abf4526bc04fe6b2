"""From what a user touched to what that user might read next."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from service.database import ReadSession, reading
from service.recommendations.candidates import found, meanings, touched_together
from service.recommendations.diversity import mmr
from service.recommendations.history import history, vectors
from service.recommendations.interests import Interests, Touched, interests
from service.recommendations.scoring import Candidate, Near, clamped, parts, scores, why
from service.recommendations.signals import Signals
from service.recommendations.similarity import Matrix, cosines, matrix
from service.recommendations.tables import RecommendationProfile

DETAILS = ("id", "title", "url", "subjects", "authors", "created_at", "content_hash")
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
        touched = await history(session, account_id, BESIDE)
        profile = await _profile(session, account_id, touched)
        shared = await touched_together(session, account_id, touched)
        rows = await found(session, account_id, profile.centre, shared)
        sent = await meanings(session, [one.id for one in touched])
    known = _Known(touched, profile, shared, sent | {row["id"]: row["sent"] for row in rows if row["sent"]})
    return await asyncio.to_thread(_ranked, rows, known, limit, offset, now)


@dataclass(frozen=True, slots=True)
class _Known:
    """What an account touched, what that makes, what others touched with it; embeddings of all, as pgvector sends."""

    touched: Sequence[Touched]
    profile: Interests
    shared: Mapping[UUID, tuple[float, UUID]]
    sent: Mapping[UUID, bytes]


def _ranked(
    rows: Sequence[Mapping[Any, Any]], known: _Known, limit: int, offset: int, now: datetime
) -> tuple[int, list[Recommendation]]:
    candidates, profile = _candidates(rows, known), known.profile
    its = {one.id: parts(one, profile.subjects, profile.authors, now) for one in candidates}
    first = scores([its[one.id] for one in candidates])
    pool = [one for _, one in sorted(zip(first, candidates, strict=True), key=lambda one: (-one[0], one[1].id))[:POOL]]
    meant = matrix([one.id for one in pool], known.sent)
    nears = _nears(pool, meant, known.touched, known.sent)
    for one, beside in zip(pool, nears, strict=True):
        its[one.id]["novelty"] = clamped(1 - beside.similarity) if beside else None
    worth = scores([its[one.id] for one in pool])
    order = mmr(worth, lambda place: cosines(meant[place : place + 1], meant)[0], offset + limit)[offset:]
    return len(pool), [
        Recommendation(
            pool[place].id,
            pool[place].title,
            pool[place].url,
            round(worth[place], 4),
            why(pool[place], its[pool[place].id], profile.subjects, profile.authors, nears[place], now),
        )
        for place in order
    ]


def _nears(
    pool: Sequence[Candidate], meant: Matrix, touched: Sequence[Touched], sent: Mapping[UUID, bytes]
) -> list[Near | None]:
    """Return for each candidate the nearest of what was touched."""
    ids = {one.id for one in pool}
    beside = [one for one in touched if one.id in sent and one.id not in ids]
    if not beside:
        return [None] * len(pool)
    nears: list[Near | None] = []
    for one, row in zip(pool, cosines(meant, matrix([one.id for one in beside], sent)), strict=True):
        most = max(row)
        nearest = beside[row.index(most)]
        nears.append(Near(nearest.title, nearest.interaction_type, most) if one.id in sent else None)
    return nears


async def _profile(session: ReadSession, account_id: UUID, touched: Sequence[Touched]) -> Interests:
    """Return the stored profile; until there is one, what the few interactions make."""
    stored = await session.get(RecommendationProfile, account_id)
    if stored is not None:
        return Interests(stored.centre, stored.subjects, stored.authors)
    return interests(touched, await vectors(session, touched))


def _candidates(rows: Sequence[Mapping[Any, Any]], known: _Known) -> list[Candidate]:
    kept = _without_copies(rows, known.touched)
    content = _content([row["id"] for row in kept], known.sent, known.profile)
    titles = {one.id: one.title for one in known.touched}
    candidates: list[Candidate] = []
    for row in kept:
        alike, anchor = known.shared.get(row["id"], (0.0, None))
        candidates.append(
            Candidate(
                **{name: row[name] for name in DETAILS},
                signals=Signals(row["quality"], row["importance"], row["citations"]),
                content=content.get(row["id"]),
                collaborative=alike if known.shared else None,
                together_with=titles[anchor] if anchor else None,
            )
        )
    return candidates


def _content(ids: Sequence[UUID], sent: Mapping[UUID, bytes], profile: Interests) -> dict[UUID, float]:
    if profile.centre is None:
        return {}
    known = [id for id in ids if id in sent]
    rows = cosines(matrix(known, sent), np.array([profile.centre], np.float32))
    return {id: row[0] for id, row in zip(known, rows, strict=True)}


def _without_copies(rows: Sequence[Mapping[Any, Any]], touched: Sequence[Touched]) -> list[Mapping[Any, Any]]:
    """Return one of each text, the oldest, and none that was touched under another id."""
    back = {row["id"] for row in rows}
    seen = {one.content_hash for one in touched if one.id not in back}
    kept: list[Mapping[Any, Any]] = []
    for row in sorted(rows, key=lambda row: (row["created_at"], row["id"])):
        if row["content_hash"] not in seen:
            seen.add(row["content_hash"])
            kept.append(row)
    return kept
