"""A quiz out of texts, by rules; a function of the texts, what is asked for, and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from service.quizzes import keywords
from service.quizzes.answers import Reading, read
from service.quizzes.drafts import Difficulty, Draft, Type
from service.quizzes.information import Frequencies
from service.quizzes.making import Making
from service.quizzes.pool import Pool
from service.quizzes.selection import select
from service.quizzes.sentences import flaw, sentences_of, windows
from service.quizzes.validation import faults

ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Material:
    """A text that questions are made of."""

    content: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for."""

    number: int
    types: tuple[Type, ...]
    difficulty: Difficulty | None
    seed: int


def generate(materials: Sequence[Material], neighbours: Sequence[Material], asked: Asked) -> list[Draft]:
    """Return up to as many questions as are asked for; all meet the rules."""
    random = Random(asked.seed)
    drafts: list[Draft] = []
    around = Pool()
    for one in neighbours:
        if one.language == ENGLISH:
            around.add(readings(one.content))
    for source, material in enumerate(materials):
        made = of_material(material, around, random, source) if material.language == ENGLISH else (
            keywords.questions(material.content, source)
        )
        drafts += [draft for draft in made if draft.type in asked.types and not faults(draft, material.content)]
    lengths = [len(material.content) for material in materials]
    return select(drafts, asked.number, asked.types, asked.difficulty, lengths, random)


def readings(content: str, frequencies: Frequencies | None = None) -> list[Reading]:
    """Return the sentences of an English text that can stand alone, each once."""
    known = frequencies or frequencies_of(content)
    seen: set[str] = set()
    found: list[Reading] = []
    for sentence in sentences_of(content):
        if sentence.text in seen or flaw(sentence.text) is not None:
            continue
        seen.add(sentence.text)
        reading = read(sentence, known.lower)
        if reading is not None:
            found.append(reading)
    return found


def frequencies_of(content: str) -> Frequencies:
    """Count the words of what is read of a text."""
    return Frequencies.of(content[start:end] for start, end in windows(content))


def of_material(material: Material, around: Pool, random: Random, source: int) -> list[Draft]:
    """Return all questions that an English text gives, those that break rules among them."""
    frequencies = frequencies_of(material.content)
    sentences = readings(material.content, frequencies)
    pool = Pool()
    pool.add(sentences)
    making = Making(pool, around, frequencies, random)
    return [draft for reading in sentences for draft in making.questions(reading, material.content, source)]
