"""The weighted mean, and the setting that weighs."""

import pytest
from pydantic import ValidationError

from service.quality.scores import Part, blended, overall
from service.settings import Settings

WEIGHTS = (0.25, 0.25, 0.2, 0.15, 0.15)
SCORES = {"accuracy": 0.8, "completeness": 0.6, "consistency": 1.0, "timeliness": 0.5, "relevance": 0.1}


def test_a_worked_example() -> None:
    """0.25 * 0.8 + 0.25 * 0.6 + 0.2 * 1 + 0.15 * 0.5 + 0.15 * 0.1 = 0.64."""
    assert overall(SCORES, WEIGHTS) == 0.64


def test_parts_count_by_their_weight() -> None:
    score = blended([Part(1, 3, "Good."), Part(0, 1, "Bad.")], "Nothing.")
    assert score == (0.75, ["Good.", "Bad."])
    assert blended([], "Nothing.") == (0.5, ["Nothing."])


def test_weights_are_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().quality_weights == WEIGHTS  # pyright: ignore[reportCallIssue]
    monkeypatch.setenv("PHAROS_QUALITY_WEIGHTS", "0.2, 0.2,0.2,0.2,0.2")
    assert Settings().quality_weights == (0.2,) * 5  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("0.5,0.5,0.2,0,0", "sum to 1.2"),
        ("0.5,0.5", "these are 2"),
        ("1.5,-0.5,0,0,0", "at least 0"),
        ("nan,0,0,0,1", "sum to nan"),
        ("a,b,c,d,e", "valid number"),
    ],
)
def test_weights_that_are_none_are_refused(given: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHAROS_QUALITY_WEIGHTS", given)
    with pytest.raises(ValidationError, match=said):
        Settings()  # pyright: ignore[reportCallIssue]
