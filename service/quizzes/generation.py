"""A quiz out of texts, by rules; a function of the texts, what is asked for, and a seed."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from service.ingestion.language import language_of
from service.quizzes import keywords
from service.quizzes.answers import Reading, read
from service.quizzes.drafts import ENGLISH, Asked, Draft, Made, Material
from service.quizzes.information import Frequencies
from service.quizzes.making import Making
from service.quizzes.pool import Pool
from service.quizzes.selection import select
from service.quizzes.sentences import flaw, sentences_of, windows
from service.quizzes.validation import faults

MOST_TRUTHS = 0.4  # nearly every sentence gives one, and they tell the least of what somebody knows
SAMPLE = 5_000  # characters by which a language is told

_ONLY_CLOZE = (
    "Questions of all types are made of English only; of {languages} there are sentences with a keyword left out."
)
_TOO_LITTLE = (
    "No question could be made: the text has too few sentences that can be understood by themselves."
    " Tables, lists, code and headings give no questions."
)


def generate(materials: Sequence[Material], neighbours: Sequence[Material], asked: Asked) -> Made:
    """Return up to as many questions as are asked for; all meet the rules."""
    known = [identified(material) for material in materials]
    drafts = candidates(known, neighbours, asked)
    lengths = [len(material.content) for material in known]
    random = Random(asked.seed)
    chosen = select(drafts, asked.number, asked.types, asked.difficulty, lengths, random, MOST_TRUTHS)
    return Made(tuple(chosen), message_of(known, chosen, asked))


def candidates(materials: Sequence[Material], neighbours: Sequence[Material], asked: Asked) -> list[Draft]:
    """Return all questions of the types that are asked for, and that meet the rules."""
    random = Random(asked.seed)
    around = Pool()
    for one in neighbours:
        around.add(readings(one.content))
    drafts: list[Draft] = []
    for source, material in enumerate(materials):
        made = (
            of_material(material, around, random, source)
            if material.language == ENGLISH
            else keywords.questions(material.content, source)
        )
        drafts += [draft for draft in made if draft.type in asked.types and not faults(draft, material.content)]
    return drafts


def identified(material: Material) -> Material:
    """Return a text with its language, told from itself where nobody said."""
    return material if material.language else replace(material, language=language_of(material.content[:SAMPLE]))


def message_of(materials: Sequence[Material], chosen: Sequence[Draft], asked: Asked) -> str | None:
    """Return what is to be said of a quiz: its language, a number or a difficulty that could not be reached."""
    foreign = sorted({material.language or "a language that is not known" for material in materials} - {ENGLISH})
    said = [_ONLY_CLOZE.format(languages=" and ".join(foreign))] if foreign else []
    if not chosen:
        if foreign and "fill_in_blank" not in asked.types:
            said.append("Ask for fill_in_blank.")
        else:
            said.append(_TOO_LITTLE)
    elif len(chosen) < asked.number:
        said.append(f"The text gave {len(chosen)} good questions of the {asked.number} that were asked for.")
    others = sum(draft.difficulty != asked.difficulty for draft in chosen) if asked.difficulty else 0
    if others:
        said.append(f"{others} are not {asked.difficulty}: the text did not give more of those.")
    return " ".join(said) or None


def readings(content: str, frequencies: Frequencies | None = None) -> list[Reading]:
    """Return the sentences of an English text that can stand alone, each once."""
    known = frequencies or frequencies_of(content)
    seen: set[str] = set()
    found: list[Reading] = []
    for sentence in sentences_of(content):
        if sentence.text in seen or flaw(sentence.text) is not None:
            continue
        seen.add(sentence.text)
        reading = read(sentence, known.casing)
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
