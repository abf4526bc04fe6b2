"""Wrong answers that could be right: of the same type, from the same material first, then from its neighbours."""

import re
from collections.abc import Iterable, Sequence
from random import Random

from service.quizzes.answers import Answer, Definition, Reading
from service.quizzes.lexicon import is_plural, other_number, parts_of, singular
from service.quizzes.pool import Entry, Pool
from service.quizzes.validation import holds
from service.quizzes.vocabulary import NUMBER_WORDS, PREPOSITIONS

WANTED = 3
_NEAR = 6_000  # characters: what stands together is of one subject
_PLACES = frozenset({"in", "at", "from", "to", "near", "across"})


def distractors(reading: Reading, answer: Answer, pool: Pool, neighbours: Pool, random: Random) -> list[str]:
    """Return three wrong answers of the answer's type, or fewer where no more can be found."""
    sentence = reading.sentence.text
    if answer.kind == "year":
        return _years(answer.text, sentence, random)
    if answer.kind == "number":
        return _numbers(answer.text, sentence, random)
    place = reading.sentence.start
    chosen: list[str] = []
    for one in (pool, neighbours):
        for entry in _ranked(answer, one, place if one is pool else None, random):
            text = _in_form(entry, answer)
            if text is None or len(chosen) == WANTED:
                continue
            if not _clashes(text, answer, sentence, chosen):
                chosen.append(text)
    return chosen


def _ranked(answer: Answer, pool: Pool, place: int | None, random: Random) -> list[Entry]:
    """Return what may stand for an answer, the most alike first."""
    entry = pool.entries.get((answer.kind, answer.key))
    words = answer.key.split()

    def likeness(other: Entry) -> float:
        theirs = other.answer.key.split()
        score = random.random() * 0.5
        score += 1.5 * (len(words) == len(theirs))
        score += 2.5 * (len(words) > 1 and len(theirs) > 1 and words[-1] == theirs[-1])
        score += 1.0 * (other.count > 1) + 1.0 * (other.subjects > 0 and answer.subject)
        if place is not None and any(abs(place - there) < _NEAR for there in other.places):
            score += 1.0
        score += 1.0 * (answer.text.isupper() == other.answer.text.isupper())
        if answer.kind == "name":
            score += 3.0 * (sort_of(answer.text) == sort_of(other.answer.text))
            score += 1.5 * (entry is not None and _is_place(entry) == _is_place(other))
        return score

    same = [other for (kind, key), other in pool.entries.items() if kind == answer.kind and key != answer.key]
    if answer.kind == "term":
        frequent = [other for other in same if other.count > 1 or other.subjects or len(other.answer.key.split()) > 1]
        frequent = [one for one in frequent if one.subjects or " " in one.answer.key or parts_of(one.answer.key)]
        same = frequent if len(frequent) >= 2 * WANTED else same
    return sorted(same, key=likeness, reverse=True)[: 12 * WANTED]


def sort_of(name: str) -> str:
    """Return what a name looks like: an acronym, a thing (Davis Cup), a full name, a single name."""
    if name.isupper() and len(name) <= 6:
        return "acronym"
    *first, last = name.split()
    if "NOUN" in parts_of(last.lower()):
        return "thing"
    return "full" if first else "single"


def _is_place(entry: Entry) -> bool:
    return any(entry.by_preposition[word] for word in _PLACES)


def _in_form(entry: Entry, answer: Answer) -> str | None:
    """Return a distractor in the number of the answer, and so that a or an before it stays right."""
    text = entry.answer.spelled
    if answer.kind == "term" and is_plural(text.split()[-1]) != answer.plural:
        *first, last = text.split()
        turned = other_number(last) if last.islower() else None
        if turned is None:
            return None
        text = " ".join([*first, turned])
    if answer.kind == "name" and answer.plural != entry.answer.plural:
        return None
    if answer.article.lower() in ("a", "an") and (text[0].lower() in "aeiou") != (answer.text[0].lower() in "aeiou"):
        return None
    return text


def _clashes(text: str, answer: Answer, sentence: str, chosen: Iterable[str]) -> bool:
    """Tell whether a distractor is a form or part of the answer, or stands in the sentence."""
    if holds(sentence, text):
        return True
    if answer.kind == "term" and answer.spelled.split()[-1].islower() != text.split()[-1].islower():
        return True
    mine, theirs = _stems(answer.text), _stems(text)
    if mine <= theirs or theirs <= mine:
        return True
    if len(mine) == 1 and len(theirs) == 1 and _akin(next(iter(mine)), next(iter(theirs))):
        return True
    return any(_stems(other) == theirs or _stems(other) <= theirs or theirs <= _stems(other) for other in chosen)


def _akin(one: str, other: str) -> bool:
    return len(one) > 4 and len(other) > 4 and one[:5] == other[:5]


def _stems(text: str) -> frozenset[str]:
    words = [word for word in re.findall(r"\w+", text.lower()) if word not in PREPOSITIONS]
    return frozenset(singular(word) for word in words)


def _years(text: str, sentence: str, random: Random) -> list[str]:
    year = int(text)
    steps = [step for step in (-12, -9, -7, -5, -4, -3, -2, 2, 3, 4, 5, 7, 9, 12) if 1000 < year + step < 2100]
    random.shuffle(steps)
    made = [str(year + step) for step in steps if not holds(sentence, str(year + step))]
    return made[:WANTED]


def _numbers(text: str, sentence: str, random: Random) -> list[str]:
    """Return other numbers in the same format: written out, with the same decimals, thousands, percent sign."""
    if text.lower() in NUMBER_WORDS:
        place = NUMBER_WORDS.index(text.lower())
        near = [
            NUMBER_WORDS[other]
            for other in range(max(0, place - 3), min(len(NUMBER_WORDS), place + 4))
            if other != place
        ]
        random.shuffle(near)
        return [word for word in near if not holds(sentence, word)][:WANTED]
    bare = text.rstrip("%").replace(",", "")
    decimals = len(bare.partition(".")[2])
    value = float(bare)
    factors = [0.25, 0.5, 0.75, 1.25, 1.5, 2, 3, 4] if value >= 8 else [1 / 3, 0.5, 1.5, 2, 2.5, 3]
    if text.endswith("%"):
        factors = [factor for factor in factors if value * factor <= 100]
    random.shuffle(factors)
    chosen: list[str] = []
    for factor in factors:
        made = round(value * factor, decimals)
        if not decimals and value >= 100:
            size = 10 ** (len(str(int(value))) - 2 - (1 if bare.rstrip("0") != bare else 0))
            made = round(made / max(1, size)) * max(1, size)
        if not decimals and len(bare) == 4 and 1500 <= value < 2100:
            made = value + round((factor - 1) * 20)
        shown = f"{made:,.{decimals}f}" if "," in text else f"{made:.{decimals}f}"
        shown += "%" * text.endswith("%")
        if shown != text and made > 0 and shown not in chosen and not holds(sentence, shown):
            chosen.append(shown)
    return chosen[:WANTED]


def other_meanings(definition: Definition, pools: Sequence[Pool], random: Random) -> list[str]:
    """Return what three other terms mean, in words of about the same number."""
    mine = definition.meaning
    chosen: list[str] = []
    for pool in pools:
        others = [other for _, other in pool.definitions if other.verb == definition.verb]
        random.shuffle(others)
        for other in others:
            fits = 0.4 <= len(other.meaning) / len(mine) <= 2.5 and other.answer.key != definition.answer.key
            clash = holds(other.meaning, definition.answer.text) or holds(mine, other.answer.text)
            if len(chosen) < WANTED and fits and not clash and other.meaning not in chosen:
                chosen.append(other.meaning)
    return chosen
