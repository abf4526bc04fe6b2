"""A question on its way to a quiz."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

Type = Literal["multiple_choice", "true_false", "fill_in_blank", "short_answer"]
Difficulty = Literal["easy", "medium", "hard"]
TYPES: Final[tuple[Type, ...]] = get_args(Type)
DIFFICULTIES: Final[tuple[Difficulty, ...]] = get_args(Difficulty)
BLANK = "_____"
ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Draft:
    """A question with its key, as `tables.Question` describes it, and the passage of a content that it rests on."""

    type: Type
    stem: str
    answer: dict[str, Any]
    passage: str
    passage_start: int  # characters into the content
    options: tuple[str, ...] | None = None
    difficulty: Difficulty = "medium"
    source: int = 0  # which of the materials
    topic: str = ""  # what it asks for; of two questions for the same one is enough
    merit: float = field(default=0.5, compare=False)  # from 0 to 1: how good questions of its making are


@dataclass(frozen=True, slots=True)
class Material:
    """A text that questions are made of; its language as ISO 639-1, None where nobody said."""

    content: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for."""

    number: int
    types: tuple[Type, ...]
    difficulty: Difficulty | None
    seed: int


@dataclass(frozen=True, slots=True)
class Made:
    """The questions of a quiz, and what its owner should know of them."""

    drafts: tuple[Draft, ...]
    message: str | None
