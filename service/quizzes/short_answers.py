"""Questions that are answered in one's own words, and the points that an answer should make."""

import re
from collections.abc import Iterator
from typing import Any

from service.quizzes.answers import Reading
from service.quizzes.grammar import Token, phrases_of, tokens_of
from service.quizzes.information import Frequencies
from service.quizzes.lexicon import other_number, parts_of, singular
from service.quizzes.vocabulary import VAGUE

POINTS = 4
_DOES = frozenset(
    "allow enable require contain include describe define represent return specify combine ensure prevent convert"
    " create offer support manage control reduce increase protect store produce perform measure determine cause"
    " translate introduce replace implement generate handle".split()
)
_BECAUSE = re.compile(r",? (?:because|since|so that|in order to) ")
_CLAUSE = re.compile(
    r", (?:but|so|although|though|while|whereas|because|since|which|and (?=\w+ (?:is|are|can|will|has|have|may)\b)) ?"
)
_USED = re.compile(r"(is|are) (?:commonly |often |usually |mainly |widely |typically )?used (to|for) (.+)$")

Made = tuple[str, str, list[dict[str, Any]], str, float]  # stem, answer, key points, topic, merit


def short_answers(reading: Reading, frequencies: Frequencies) -> Iterator[Made]:
    """Yield questions for short answers that a sentence gives."""
    subject = next((answer for answer in reading.answers if answer.subject), None)
    if reading.definition is not None:
        definition = reading.definition
        article = f"{definition.answer.article.lower()} " if definition.answer.article else ""
        name = f"{article}{definition.answer.spelled}"
        yield from _made(f"What {definition.verb} {name}?", definition.meaning, definition.answer.key, 1.05)
    text = reading.sentence.text.rstrip(".")
    if subject is not None and subject.kind in ("name", "term"):
        article = f"{subject.article.lower()} " if subject.article else ""
        name, rest = f"{article}{subject.spelled}", text[subject.end :].strip()
        used = _USED.match(rest)
        if used:
            yield from _made(f"What {used[1]} {name} used {used[2]}?", used[3], subject.key, 0.95, strip=True)
        else:
            yield from _does(reading, name, subject.end, subject.key, frequencies.of_answer(subject))
    yield from _why(reading, text)


def _does(reading: Reading, name: str, end: int, key: str, count: int) -> Iterator[Made]:
    """“A lens focuses light” gives “What does a lens focus?”; not where a subject does too many things."""
    place = next(place for place, token in enumerate(reading.tokens) if token.start >= end)
    verb = reading.tokens[place]
    base = parts_of(verb.lower).get("VERB", verb.lower)
    if verb.part != "verb" or base not in _DOES or (len(key.split()) == 1 and count > 12):
        return
    rest = _CLAUSE.split(reading.sentence.text[verb.end :].strip().rstrip("."))[0]
    helper = "does" if verb.lower != base else "do"
    following = reading.tokens[place + 1] if place + 1 < len(reading.tokens) else None
    if following is None or following.part in ("preposition", "adverb", "to", "mark", "conjunction"):
        return
    people = following.lower in ("you", "users", "people", "programs", "programmers")
    if base in ("allow", "enable") and people and reading.tokens[place + 2].part == "to":
        whom = following.text
        done = _CLAUSE.split(reading.sentence.text[reading.tokens[place + 2].end :].strip().rstrip("."))[0]
        yield from _made(f"What {helper} {name} {base} {whom} to do?", done, key, 0.9)
        return
    yield from _made(f"What {helper} {name} {base}?", rest, key, 0.82)


def _why(reading: Reading, text: str) -> Iterator[Made]:
    """“X is Y because Z” gives “Why is X Y?”."""
    found = _BECAUSE.search(text)
    if found is None or (found[0].strip(", ") == "since" and "," in found[0]):
        return
    head, cause = text[: found.start()], text[found.end() :]
    if found[0].strip(", ") == "since" and re.match(r"\d|the |its ", cause):
        return  # of time
    tokens = [token for token in reading.tokens if token.end <= len(head)]
    place = next((p for p, t in enumerate(tokens) if t.part in ("auxiliary", "modal")), None)
    if place is None or place == 0 or any(t.part in ("mark", "wh", "verb", "conjunction") for t in tokens[:place]):
        return
    helper = tokens[place]
    if helper.lower in ("has", "have", "had") or "n't" in helper.lower.replace("’", "'"):
        return
    subject = head[: helper.start].strip()
    if not any(t.part == "proper" for t in tokens[:1]):
        subject = subject[0].lower() + subject[1:]
    cause = f"to {cause}" if "in order to" in found[0] else cause
    rest = head[helper.end :].strip().rstrip(",")
    yield from _made(f"Why {helper.lower} {subject} {rest}?", cause, f"why {subject}", 0.9)


def _made(stem: str, answer: str, topic: str, merit: float, *, strip: bool = False) -> Iterator[Made]:
    points = key_points(answer, stem)
    if points and len(answer.split()) >= 2 and (len(points) > 1 or " " in points[0]["text"]):
        yield " ".join(stem.split()), answer, points, topic, merit


def key_points(answer: str, stem: str = "") -> list[dict[str, Any]]:
    """Return the points that an answer makes: what its phrases name; its verbs where that is little."""
    said = stem.lower()
    points: list[dict[str, Any]] = []
    tokens = tokens_of(answer)
    for phrase in phrases_of(tokens):
        words = [token for token in phrase.tokens if token.text.lower() not in VAGUE]
        if not words or len(points) == POINTS:
            continue
        text = answer[words[0].start : words[-1].end]
        if len(words) == 1 and "ADJ" in parts_of(words[0].lower):
            continue  # “a free operating system” was not read to its end
        again = any(point["text"].lower() == text.lower() for point in points)
        if text.lower() not in said and singular(text.split()[-1]) not in said and not again:
            points.append({"text": text, "terms": _terms(text)})
    if len(points) < 2:
        verbs = {parts_of(token.lower).get("VERB", ""): token for token in tokens if token.part == "verb"}
        points += [_verb(token) for token in verbs.values() if _telling_verb(token, said)][: 3 - len(points)]
    return points[:POINTS]


def _telling_verb(token: Token, said: str) -> bool:
    base = parts_of(token.lower).get("VERB", "")
    return len(base) > 4 and base not in said and base not in ("using", "based", "called")


def _verb(token: Token) -> dict[str, Any]:
    base = parts_of(token.lower)["VERB"]
    return {"text": token.text, "terms": list(dict.fromkeys([token.lower, base]))}


def _terms(text: str) -> list[str]:
    *first, last = text.split()
    terms = [text]
    turned = other_number(last) if last.isalpha() else None
    if turned:
        terms.append(" ".join([*first, turned]))
    if first:
        terms.append(last)
    return list(dict.fromkeys(terms))
