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
def singular(noun: str) -> str:
    """Return the singular of a noun, in lower case; a compound's (filesystems) by its last part."""
    word = noun.lower()
    for start in range(max(1, len(word) - 3)):
        if start == 1 and not word.endswith("s"):
            break
        lemma = parts_of(word[start:]).get("NOUN")
        if lemma is not None:
            return word[:start] + lemma
    return word


@lru_cache(_KEPT)
def other_number(noun: str) -> str | None:
    """Return the plural of a singular, the singular of a plural; None where there is none."""
    word = noun.lower()
    if is_plural(word):
        return singular(word)
    forms = cast("tuple[str, ...]", lemminflect.getInflection(word, tag="NNS"))  # pyright: ignore
    return next((form for form in forms if form != word), None)


def is_number_word(word: str) -> bool:
    """Tell whether a word is a small number, written out."""
    return word.lower() in NUMBER_WORDS
