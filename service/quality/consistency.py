"""Consistency: whether title, description, subjects and language fit the text."""

import re
from collections.abc import Iterable, Iterator

from service.quality.evidence import Evidence
from service.quality.languages import are_alike, is_told_apart, language_of, script_of, script_of_language
from service.quality.scores import UNKNOWN, Part, Score, blended

_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")  # kana, Han, Thai: words without blanks
_SHORTEST = 4  # letters; shorter ones are mostly articles and the like
_MOST = 100  # words that are looked for


def consistency(evidence: Evidence) -> Score:
    """Score how much of the title, the description and the subjects the text holds, and whether the language fits."""
    body = evidence.text.casefold()
    parts = [
        *_title(evidence, body),
        *_language(evidence),
        *_found("the description's words", _words(evidence.description), body, 0.15),
        *_subjects(evidence, body),
        *_date(evidence),
    ]
    return blended(parts, "There is too little to compare the text with.")


def _words(text: str) -> Iterator[str]:
    for word in _WORD.findall(text[:20_000].casefold()):
        if _UNSPACED.search(word):
            yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif len(word) >= _SHORTEST or not word.isascii():
            yield word


def _found(what: str, words: Iterable[str], body: str, weight: float) -> list[Part]:
    known = list(dict.fromkeys(words))[:_MOST]
    if not known:
        return []
    there = sum(_stem(word) in body for word in known)
    return [Part(there / len(known), weight, f"{there} of {len(known)} of {what} are in the text.")]


def _stem(word: str) -> str:
    return word[:-2] if len(word) >= 6 else word  # keepers, keeper; German, French and so on alike


def _title(evidence: Evidence, body: str) -> list[Part]:
    if evidence.title == evidence.url:
        return []
    return _found("the title's words", _words(evidence.title), body, 0.35)


def _subjects(evidence: Evidence, body: str) -> list[Part]:
    given = list(dict.fromkeys(one.casefold() for one in (*evidence.subjects, *evidence.tags)))[:_MOST]
    if not given:
        return []
    there = sum(any(word in body for word in _WORD.findall(one)) for one in given)
    value = UNKNOWN + (1 - UNKNOWN) * there / len(given)  # a subject need not be named to be the subject
    return [Part(value, 0.15, f"{there} of {len(given)} subjects and tags are named in the text.")]


def _language(evidence: Evidence) -> list[Part]:
    declared = evidence.language
    if not declared:
        return []
    script, expected = script_of(evidence.text), script_of_language(declared)
    if script == "MIXED":
        return [Part(UNKNOWN, 0.25, f"The text is in several scripts; it is declared as {declared}.")]
    if script and expected and script != expected and {script, expected} != {"CJK", "KANA"}:
        return [Part(0.0, 0.25, f"It is declared as {declared}, but its script is {script.capitalize()}.")]
    found = language_of(evidence.text) if is_told_apart(declared) else None
    if found is None:
        return []
    if are_alike(found, declared):
        return [Part(1.0, 0.25, f"Its language is {declared}, as declared.")]
    return [Part(0.0, 0.25, f"It is declared as {declared}, but reads like {found}.")]


def _date(evidence: Evidence) -> list[Part]:
    return [Part(0.0, 0.1, "Its publication date lies in the future.")] if evidence.in_future else []
