"""How easily a text is read, by the counts of its sentences, words and syllables."""

import re
from functools import lru_cache
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?:\s+|$)|\n+")
_VOWELS = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøœùúûüýÿ]+")
_SILENT = re.compile(r"(?:[^laeiouy]e|[^aeiouytd]ed|[^aeiouyscxz]es)$")  # make, lived, lines; but table, wanted, boxes
_APART = re.compile(
    r"i[ao](?!us|n)|eo(?!p)|ua|[^q]ui[^dlt]|[ey]ing"
)  # vowels of two syllables: di-al, vid-e-o, us-u-al
_LATIN = re.compile(r"[a-zà-öø-ÿœ'’]+")

FEWEST = 1  # words


class Readability(NamedTuple):
    """Flesch's reading ease, the grade by Kincaid, and what they were counted from."""

    flesch_reading_ease: float
    flesch_kincaid_grade: float
    sentences: int
    words: int
    syllables: int


def reading_ease(words: int, sentences: int, syllables: int) -> float:
    """Return Flesch's reading ease: at most 121.22; 60 to 70 is plain English, below 30 very hard.

    206.835 - 1.015 words/sentences - 84.6 syllables/words (R. Flesch, "A new readability yardstick", Journal of
    Applied Psychology 32(3), 1948).
    """
    return round(206.835 - 1.015 * words / sentences - 84.6 * syllables / words, 2)


def grade_level(words: int, sentences: int, syllables: int) -> float:
    """Return the Flesch-Kincaid grade: years of school (of the United States) that a reader needs; at least -3.40.

    0.39 words/sentences + 11.8 syllables/words - 15.59 (J. P. Kincaid et al., "Derivation of new readability formulas
    for Navy enlisted personnel", Research Branch Report 8-75, 1975).
    """
    return round(0.39 * words / sentences + 11.8 * syllables / words - 15.59, 2)


def readability_of(text: str) -> Readability | None:
    """Return how easily a text is read; None where less than half of its words are in the Latin script."""
    words = [word.lower() for word in _WORD.findall(text)]
    latin = [word for word in words if _LATIN.fullmatch(word)]
    if len(latin) < FEWEST or 2 * len(latin) < len(words):
        return None
    sentences = sum(1 for piece in _SENTENCE_END.split(text) if _WORD.search(piece))
    syllables = sum(map(syllables_of, latin))
    return Readability(
        reading_ease(len(latin), sentences, syllables),
        grade_level(len(latin), sentences, syllables),
        sentences,
        len(latin),
        syllables,
    )


@lru_cache(maxsize=10_000)
def syllables_of(word: str) -> int:
    """Return the syllables of an English word in lower case, by rule: its groups of vowels, less a silent e."""
    groups = len(_VOWELS.findall(word)) + len(_APART.findall(word))
    return max(1, groups - (1 if _SILENT.search(word) else 0))
