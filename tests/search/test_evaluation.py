"""Scores of a ranking, by hand, by properties and over HTTP."""

from math import log2
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.search.evaluation import Scores, mean, scores
from service.security.accounts import Account
from tests.search.conftest import findable
from tests.search.test_routes import client

__all__ = ["client"]

A, B, C, D = (UUID(int=number) for number in range(1, 5))


def test_scores_by_hand() -> None:
    found = scores([A, B, C], {A: 3, C: 1, D: 2}, k=3)
    best = 7 / 1 + 3 / log2(3) + 1 / 2
    assert found.ndcg == pytest.approx((7 + 1 / 2) / best)
    assert (found.recall, found.precision, found.mrr) == pytest.approx((2 / 3, 2 / 3, 1.0))
    assert scores([B, C], {C: 1, A: 0}, k=2) == Scores(pytest.approx(1 / log2(3)), 1.0, 0.5, 0.5)  # type: ignore[arg-type]
    assert scores([A], {A: 0}, k=10) == Scores(0, 0, 0, 0)
    assert scores([], {A: 1}, k=10) == Scores(0, 0, 0, 0)
    assert mean([Scores(1, 0, 0.5, 1), Scores(0, 1, 0.5, 0)]) == Scores(0.5, 0.5, 0.5, 0.5)


ids = st.integers(0, 30).map(lambda number: UUID(int=number))


@given(ranking=st.lists(ids, unique=True), grades=st.dictionaries(ids, st.integers(0, 4)), k=st.integers(1, 40))
def test_scores_are_shares_and_the_best_order_is_best(ranking: list[UUID], grades: dict[UUID, int], k: int) -> None:
    found = scores(ranking, grades, k)
    for value in (found.ndcg, found.recall, found.precision, found.mrr):
        assert 0 <= value <= 1 + 1e-9
    best = sorted(grades, key=lambda id: -grades[id])
    if any(grades.values()):
        assert scores(best, grades, k).ndcg == pytest.approx(1)
        assert scores(best, grades, k).mrr == 1


async def test_queries_are_scored_over_http(client: httpx.AsyncClient, ada: Account, grace: Account) -> None:
    lamp = await findable(ada, "Lamp", "The lamp of the keeper.")
    oil = await findable(ada, "Oil", "Oil for the lamp, and a lot of other things that are of no use here.")
    secret = await findable(grace, "Lamp", "A private lamp.", private=True)
    body: dict[str, Any] = {
        "mode": "keyword",
        "k": 2,
        "queries": [
            {"query": "lamp", "judgements": {str(lamp): 2, str(oil): 1, str(secret): 4, str(uuid4()): 4}},
            {"query": "xyzzy", "judgements": {str(lamp): 1}},
        ],
    }
    answer = (await client.post("/search/evaluate", json=body)).json()
    assert answer["queries"][0] == {
        "query": "lamp", "ndcg": 1, "recall": 1, "precision": 1, "mrr": 1, "found": 2, "unknown": 2,
    }  # fmt: skip
    assert answer["queries"][1]["ndcg"] == 0
    assert answer["mean"] == {"ndcg": 0.5, "recall": 0.5, "precision": 0.5, "mrr": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        {"queries": []},
        {"k": 0},
        {"k": 101},
        {"mode": "psychic"},
        {"queries": [{"query": "", "judgements": {str(A): 1}}]},
        {"queries": [{"query": "lamp", "judgements": {}}]},
        {"queries": [{"query": "lamp", "judgements": {"x": 1}}]},
        {"queries": [{"query": "lamp", "judgements": {str(A): -1}}]},
        {"queries": [{"query": "lamp", "judgements": {str(A): 1}}] * 201},
    ],
)
async def test_a_wrong_evaluation_is_refused(client: httpx.AsyncClient, ada: Account, change: dict[str, Any]) -> None:
    body = {"mode": "keyword", "queries": [{"query": "lamp", "judgements": {str(A): 1}}]} | change
    assert (await client.post("/search/evaluate", json=body)).status_code == 422
