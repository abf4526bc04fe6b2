"""When a question comes back: FSRS 6 (https://github.com/open-spaced-repetition/py-fsrs) with its default parameters.

A question was read with its right answer a moment before it becomes a card, so the first interval is of days; what is
forgotten in a review comes again after ten minutes. Intervals are not varied at random: the same ratings at the same
times make the same dates.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fsrs import Card, Rating, Scheduler, State

Name = Literal["review", "relearning"]

_SCHEDULER = Scheduler(
    desired_retention=0.9,
    learning_steps=(),
    relearning_steps=(timedelta(minutes=10),),
    maximum_interval=3650,  # days
    enable_fuzzing=False,
)
_STATES: dict[str, State] = {"review": State.Review, "relearning": State.Relearning}
_NAMES: dict[State, Name] = {State.Review: "review", State.Relearning: "relearning"}


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a question: stability in days, difficulty 1 to 10, when it is due."""

    state: str
    step: int | None
    stability: float
    difficulty: float
    due: datetime
    last_review: datetime


def reviewed(memory: Memory | None, rating: int, now: datetime) -> Memory:
    """Return what is remembered after a rating, 1 to 4, at `now`, in UTC; None is a question that is new."""
    if memory is None:
        card = Card(card_id=0, due=now)
    else:
        card = Card(
            card_id=0,
            state=_STATES[memory.state],
            step=memory.step,
            stability=memory.stability,
            difficulty=memory.difficulty,
            due=memory.due,
            last_review=memory.last_review,
        )
    after, _ = _SCHEDULER.review_card(card, Rating(rating), now)
    assert after.stability is not None
    assert after.difficulty is not None
    return Memory(_NAMES[after.state], after.step, after.stability, after.difficulty, after.due, now)


def rating_of(share: float) -> int:
    """Return the rating that the share of a question's points stands for: good, hard, or forgotten."""
    return 3 if share >= 1 - 1e-6 else 2 if share >= 0.6 else 1
