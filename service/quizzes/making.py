"""From an English sentence to questions of the four types, by rules."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from service.quizzes.answers import Answer, Reading
from service.quizzes.distractors import WANTED, distractors, other_meanings
from service.quizzes.drafts import BLANK, Difficulty, Draft, Type
from service.quizzes.information import Frequencies, clarity, information, is_of_unknown
from service.quizzes.pool import Pool
from service.quizzes.short_answers import short_answers
from service.quizzes.variants import accepted

_NOUN_OF = {"name": "name", "term": "term", "number": "number", "year": "year", "definition": "term"}
_Made = tuple[Type, str, float, float, str, tuple[str, ...] | None, dict[str, Any]]  # topic, merit, hardness, stem ...
_STEP = 0.12
_ENOUGH = 6  # words that mean something: “It can be set by several methods” has fewer


@dataclass(frozen=True, slots=True)
class Making:
    """What questions are made with: the material's terms, those of its neighbours, its words, and chance."""

    pool: Pool
    neighbours: Pool
    frequencies: Frequencies
    random: Random

    def questions(self, reading: Reading, content: str, source: int) -> Iterator[Draft]:
        """Yield all questions that a sentence gives; those that break a rule are among them."""
        if is_of_unknown(reading, self.frequencies):
            return
        passage = content[reading.sentence.start : reading.sentence.end]
        worth = 0.45 * information(reading, self.frequencies) + 0.55 * clarity(reading)
        telling = sum(token.part in ("noun", "proper", "adjective", "verb", "number") for token in reading.tokens)
        worth *= 0.75 if telling < _ENOUGH else 1.0
        for type, topic, merit, hardness, stem, options, answer in self._all(reading):
            yield Draft(
                type, stem, answer, passage, reading.sentence.start, options, _difficulty(hardness), source, topic,
                merit * worth,
            )  # fmt: skip

    def _all(self, reading: Reading) -> Iterator[_Made]:
        if reading.definition is not None:
            yield from self._meaning(reading)
        for answer in reading.answers:
            strength = self.strength(answer)
            if strength > 0:
                yield from self._of_answer(reading, answer, strength)
        yield (
            "true_false",
            reading.sentence.text[:40],
            0.62,
            0.2 + _length(reading),
            reading.sentence.text,
            None,
            {"value": True},
        )
        for stem, text, points, topic, merit in short_answers(reading, self.frequencies):
            hardness = 0.45 + 0.12 * len(points)
            yield "short_answer", topic, merit, hardness, stem, None, {"text": text, "key_points": points}

    def strength(self, answer: Answer) -> float:
        """Return from 0 to 1 how much an answer is worth being asked for."""
        if answer.kind in ("number", "year"):
            return 0.75 if answer.kind == "year" else 0.65
        count = self.frequencies.of_answer(answer)
        words = len(answer.key.split())
        if answer.kind == "name":
            return min(1.0, 0.6 + 0.1 * count)
        if count < 2 and not (answer.subject and words > 1):
            return 0.0
        if words == 1 and not answer.subject and count < 5:
            return 0.0
        return min(1.0, 0.45 + 0.08 * min(count, 5) + 0.15 * (words > 1))

    def _of_answer(self, reading: Reading, answer: Answer, strength: float) -> Iterator[_Made]:
        text = reading.sentence.text
        right = answer.spelled
        wrong = distractors(reading, answer, self.pool, self.neighbours, self.random)
        rare = 0.15 if answer.kind in ("name", "term") and self.frequencies.of_answer(answer) < 3 else 0.0
        hardness = rare + _length(reading)
        role = 1.0 if answer.subject else 0.5 if answer.kind == "term" else 0.75
        blanked = text[: answer.start] + BLANK + text[answer.end :]
        if len(wrong) == WANTED:
            options = [right, *wrong]
            self.random.shuffle(options)
            key = {"option": options.index(right)}
            if answer.subject and is_one_clause(reading, answer):
                rest = text[answer.end :].strip().rstrip(".")
                stem = f"Which of these {rest}?"
            else:
                stem = f"Which {_NOUN_OF[answer.kind]} completes the sentence? {blanked}"
            merit = strength * (role if not answer.subject else 1.05 if reading.definition else 0.95)
            yield "multiple_choice", answer.key, merit, 0.3 + hardness, stem, tuple(options), key
        if wrong:
            swapped = _swapped(text, answer, wrong[0])
            yield (
                "true_false",
                answer.key,
                strength * (0.8 if role == 1 else 0.7),
                0.3 + hardness,
                swapped,
                None,
                {"value": False},
            )
        telling = sum(token.part in ("noun", "proper", "adjective", "verb", "number") for token in reading.tokens)
        if answer.kind != "number" and telling > _ENOUGH:
            values = accepted(answer)
            yield (
                "fill_in_blank",
                answer.key,
                strength * role * 0.95,
                0.5 + hardness,
                blanked,
                None,
                {"blanks": [values]},
            )

    def _meaning(self, reading: Reading) -> Iterator[_Made]:
        definition = reading.definition
        assert definition is not None
        wrong = other_meanings(definition, (self.pool, self.neighbours), self.random)
        if len(wrong) < WANTED:
            return
        options = [definition.meaning, *wrong]
        self.random.shuffle(options)
        article = f"{definition.answer.article.lower()} " if definition.answer.article else ""
        stem = f"What {definition.verb} {article}{definition.answer.spelled}?"
        key = {"option": options.index(definition.meaning)}
        yield "multiple_choice", definition.answer.key, 1.1, 0.25 + _length(reading), stem, tuple(options), key


def is_one_clause(reading: Reading, subject: Answer) -> bool:
    """Tell whether all that follows a subject is said of it, so that “Which of these ...?” asks for it alone."""
    after = [token for token in reading.tokens if token.start >= subject.end]
    if len(after) > 1 and after[0].part == "auxiliary" and after[1].part == "to":
        return False
    for place, token in enumerate(after[:-2]):
        if token.lower not in ("and", "but", "so", "or", "–", "—", "yet", "while", "whereas"):
            continue
        following = after[place + 1 :]
        if following[0].part in ("verb", "auxiliary", "modal", "adverb"):
            continue
        border = next((n for n, t in enumerate(following) if t.part == "mark"), len(following))
        begins_clause = (place > 0 and after[place - 1].part == "mark") or token.part == "mark"
        if begins_clause and any(t.part in ("auxiliary", "modal", "verb") for t in following[:border]):
            return False
    return True


def _length(reading: Reading) -> float:
    return _STEP * (len(reading.tokens) > 16) + _STEP * (len(reading.tokens) > 24)


def _difficulty(hardness: float) -> Difficulty:
    return "easy" if hardness < 0.42 else "medium" if hardness < 0.68 else "hard"


def _swapped(text: str, answer: Answer, wrong: str) -> str:
    """Return a sentence with a wrong answer in the place of the right one."""
    if answer.start == 0 or (answer.article and answer.start <= len(answer.article) + 1 and not answer.start):
        wrong = wrong[0].upper() + wrong[1:]
    return re.sub(r"\s+", " ", text[: answer.start] + wrong + text[answer.end :])
