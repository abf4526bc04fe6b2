"""From an English sentence to questions of the four types, by rules."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from service.quizzes.answers import Answer, Reading
from service.quizzes.distractors import WANTED, distractors, other_meanings, spelled
from service.quizzes.drafts import BLANK, Difficulty, Draft, Type
from service.quizzes.information import Frequencies, clarity, information
from service.quizzes.pool import Pool
from service.quizzes.short_answers import short_answers
from service.quizzes.variants import accepted

_NOUN_OF = {"name": "name", "term": "term", "number": "number", "year": "year", "definition": "term"}
_STEP = 0.12


@dataclass(frozen=True, slots=True)
class Making:
    """What questions are made with: the material's terms, those of its neighbours, its words, and chance."""

    pool: Pool
    neighbours: Pool
    frequencies: Frequencies
    random: Random

    def questions(self, reading: Reading, content: str, source: int) -> Iterator[Draft]:
        """Yield all questions that a sentence gives; those that break a rule are among them."""
        passage = content[reading.sentence.start : reading.sentence.end]
        worth = 0.45 * information(reading, self.frequencies) + 0.55 * clarity(reading)
        for type, topic, merit, hardness, stem, options, answer in self._all(reading):
            yield Draft(
                type, stem, answer, passage, reading.sentence.start, options, _difficulty(hardness), source, topic,
                merit * worth,
            )  # fmt: skip

    def _all(self, reading: Reading) -> Iterator[tuple[Type, str, float, float, str, tuple[str, ...] | None, dict]]:
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
        if words == 1 and not answer.subject and count < 3:
            return 0.0
        return min(1.0, 0.45 + 0.08 * min(count, 5) + 0.15 * (words > 1))

    def _of_answer(self, reading: Reading, answer: Answer, strength: float) -> Iterator[tuple]:
        text = reading.sentence.text
        right = spelled(answer)
        wrong = distractors(reading, answer, self.pool, self.neighbours, self.random)
        rare = 0.15 if answer.kind in ("name", "term") and self.frequencies.of_answer(answer) < 3 else 0.0
        hardness = rare + _length(reading)
        role = 1.0 if answer.subject else 0.8 if answer.kind in ("number", "year", "name") else 0.6
        blanked = text[: answer.start] + BLANK + text[answer.end :]
        if len(wrong) == WANTED:
            options = [right, *wrong]
            self.random.shuffle(options)
            key = {"option": options.index(right)}
            if answer.subject:
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
        if answer.kind not in ("number",):
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

    def _meaning(self, reading: Reading) -> Iterator[tuple]:
        definition = reading.definition
        assert definition is not None
        wrong = other_meanings(definition, (self.pool, self.neighbours), self.random)
        if len(wrong) < WANTED:
            return
        options = [definition.meaning, *wrong]
        self.random.shuffle(options)
        article = f"{definition.answer.article.lower()} " if definition.answer.article else ""
        stem = f"What {definition.verb} {article}{spelled(definition.answer)}?"
        key = {"option": options.index(definition.meaning)}
        yield "multiple_choice", definition.answer.key, 1.1, 0.25 + _length(reading), stem, tuple(options), key


def _length(reading: Reading) -> float:
    return _STEP * (len(reading.tokens) > 16) + _STEP * (len(reading.tokens) > 24)


def _difficulty(hardness: float) -> Difficulty:
    return "easy" if hardness < 0.42 else "medium" if hardness < 0.68 else "hard"


def _swapped(text: str, answer: Answer, wrong: str) -> str:
    """Return a sentence with a wrong answer in the place of the right one."""
    if answer.start == 0 or (answer.article and answer.start <= len(answer.article) + 1 and not answer.start):
        wrong = wrong[0].upper() + wrong[1:]
    return re.sub(r"\s+", " ", text[: answer.start] + wrong + text[answer.end :])
