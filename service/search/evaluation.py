"""How good a ranking is, by what people judged: nDCG, recall, precision, reciprocal rank."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log2
from statistics import fmean
from uuid import UUID

from sqlalchemy import text

from service.database import reading
from service.search.filters import CONDITION, Filters
from service.search.retrieval import Mode, search

_KNOWN = text(f"SELECT r.id FROM resources r WHERE r.id = ANY(CAST(:ids AS uuid[])) AND {CONDITION}")  # noqa: S608


@dataclass(frozen=True, slots=True)
class Scores:
    """Each from 0 to 1."""

    ndcg: float
    recall: float
    precision: float
    mrr: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One query with its scores; `unknown` counts judgements of what the account cannot see or does not exist."""

    query: str
    scores: Scores
    found: int
    unknown: int


def scores(ranking: Sequence[UUID], grades: Mapping[UUID, int], k: int) -> Scores:
    """Score the first `k` of a ranking against grades (0: of no use); all 0 where nothing was judged to be of use.

    The gain of a grade g is 2^g - 1, discounted by log2(1 + rank); nDCG divides by what the best order would have.
    Järvelin, Kekäläinen: Cumulated Gain-Based Evaluation of IR Techniques, 2002; Burges et al.: Learning to Rank Using
    Gradient Descent, 2005.
    """
    useful = {id for id, grade in grades.items() if grade > 0}
    if not useful:
        return Scores(0.0, 0.0, 0.0, 0.0)
    first = ranking[:k]
    hits = [place for place, id in enumerate(first, 1) if id in useful]
    best = _gain(sorted(grades.values(), reverse=True)[:k])
    return Scores(
        ndcg=_gain([grades.get(id, 0) for id in first]) / best,
        recall=len(hits) / len(useful),
        precision=len(hits) / k,
        mrr=1 / hits[0] if hits else 0.0,
    )


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / log2(1 + place) for place, grade in enumerate(grades, 1))


def mean(judged: Sequence[Scores]) -> Scores:
    """Return the mean over queries."""
    columns = zip(*(asdict(one).values() for one in judged), strict=True)
    return Scores(*(fmean(column) for column in columns))


async def evaluate(
    queries: Sequence[tuple[str, Mapping[UUID, int]]], filters: Filters, mode: Mode, k: int
) -> list[Judged]:
    """Search for each query and score what comes first; raises what `search` raises.

    A judgement of what the account may not see counts as unknown and is left out, whether it exists or not.
    """
    asked = {id for _, grades in queries for id in grades}
    async with reading() as session:
        known = set(await session.scalars(_KNOWN, Filters(filters.account).parameters | {"ids": list(asked)}))
    judged: list[Judged] = []
    for query, grades in queries:
        found = await search(query, filters, mode, limit=k)
        visible = {id: grade for id, grade in grades.items() if id in known}
        ranking = [item["id"] for item in found.items]
        judged.append(Judged(query, scores(ranking, visible, k), found.total, len(grades) - len(visible)))
    return judged
