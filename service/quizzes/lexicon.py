"""Which parts of speech an English word can be, from the SPECIALIST lexicon, as `lemminflect` brings it."""

from functools import lru_cache
from typing import cast

import lemminflect  # pyright: ignore[reportMissingTypeStubs]

from service.quizzes.vocabulary import NUMBER_WORDS

_KEPT = 50_000  # words that are looked up once


@lru_cache(_KEPT)
def parts_of(word: str) -> dict[str, str]:
    """Return the lemma of a word by part of speech: NOUN, VERB, ADJ, ADV, AUX; empty for one that is not known."""
    found = cast("dict[str, tuple[str, ...]]", lemminflect.getAllLemmas(word.lower()))  # pyright: ignore
    return {tag: lemmas[0] for tag, lemmas in found.items() if lemmas}


def is_plural(noun: str) -> bool:
    """Tell whether a noun stands in the plural."""
    return singular(noun) != noun.lower()


@lru_cache(_KEPT)
def _part(noun: str) -> tuple[str, str] | None:
    """Return the first letters of a compound and its last part, which the lexicon knows (file, systems)."""
    for start in range(max(1, len(noun) - 3)):
        if "NOUN" in parts_of(noun[start:]):
            return noun[:start], noun[start:]
    return None


def singular(noun: str) -> str:
    """Return the singular of a noun, in lower case; a compound's by its last part; itself where that is not known."""
    word = noun.lower()
    part = _part(word)
    return word if part is None else part[0] + parts_of(part[1])["NOUN"]


@lru_cache(_KEPT)
def other_number(noun: str) -> str | None:
    """Return the plural of a singular, the singular of a plural; None where there is none, or it is not known."""
    word = noun.lower()
    if is_plural(word):
        return singular(word)
    part = _part(word)
    if part is None:
        return None
    forms = cast("tuple[str, ...]", lemminflect.getInflection(part[1], tag="NNS"))  # pyright: ignore
    return next((part[0] + form for form in forms if form != part[1]), None)


def is_number_word(word: str) -> bool:
    """Tell whether a word is a small number, written out."""
    return word.lower() in NUMBER_WORDS
