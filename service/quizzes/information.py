"""How much a sentence tells of what its text is about."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

from service.quizzes.answers import Answer, Reading
from service.quizzes.grammar import Casing, Token
from service.quizzes.lexicon import singular
from service.quizzes.vocabulary import VAGUE

_CONTENT = ("noun", "proper", "adjective", "verb")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'’-]*")  # with a capital though it begins nothing
_LONGEST_PHRASE = 3  # words


@dataclass(frozen=True, slots=True)
class Frequencies:
    """How often each word and each phrase of up to three words stands in a text, and how it writes them."""

    words: Counter[str]
    phrases: Counter[str]
    casing: Casing

    @classmethod
    def of(cls, parts: Iterable[str]) -> "Frequencies":
        words: Counter[str] = Counter()
        phrases: Counter[str] = Counter()
        lower: Counter[str] = Counter()
        names: Counter[str] = Counter()
        for part in parts:
            for line in part.splitlines():
                found = _WORD.findall(line)
                lower.update(word for word in found if word.islower())
                names.update(match[0].lower() for match in _NAME.finditer(line))
                line_words = [word.lower() for word in found]
                words.update(singular(word) for word in line_words)
                for size in range(2, _LONGEST_PHRASE + 1):
                    phrases.update(" ".join(line_words[at : at + size]) for at in range(len(line_words) - size + 1))
        mostly = frozenset(word for word, count in names.items() if count > lower[word])
        return cls(words, phrases, Casing(frozenset(lower), mostly))

    def of_answer(self, answer: Answer) -> int:
        """Return how often the text has a term or name."""
        text = answer.text.lower()
        if " " not in text:
            return self.words[singular(text)]
        return max(self.phrases[text], self.phrases[answer.key])


def information(reading: Reading, frequencies: Frequencies) -> float:
    """Return from 0 to 1 how much a sentence says of the words that its text is about."""
    content = [token for token in reading.tokens if token.part in _CONTENT]
    if not content:
        return 0.0
    weights = [_weight(token, frequencies) for token in content]
    mean = sum(weights) / len(weights)
    breadth = min(1.0, len(content) / 9)
    return min(1.0, mean * (0.4 + 0.6 * breadth))


def _weight(token: Token, frequencies: Frequencies) -> float:
    base = singular(token.text)
    if base in VAGUE or token.part == "verb":
        return 0.3
    return min(1.0, 0.3 + 0.22 * log(1 + frequencies.words[base]))


_ABOUT_READING = frozenset(
    "documentation reference manual site website page tutorial guide handbook newsgroup faq wiki book article blog"
    " chapter section readme howto channel video talk slides presentation post mailing chronology glossary answer"
    " question detail details covered discussed license trademark trademarked copyright".split()
)
_KNOWN = 4  # times that a text has a word, from which on a reader knows which one is meant


def is_of_unknown(reading: Reading, frequencies: Frequencies) -> bool:
    """Tell whether a sentence is about something that another one introduced: “The teams were tied”: which teams?"""
    first = next((answer for answer in reading.answers if answer.subject), None)
    if first is None:
        tokens = [token for token in reading.tokens if token.part != "adverb"]
        head = tokens[1] if len(tokens) > 2 and tokens[0].lower == "the" else None
        return head is not None and head.part == "noun" and tokens[2].part in ("auxiliary", "modal", "verb")
    bare = first.article.lower() == "the" and len(first.key.split()) == 1 and first.kind == "term"
    return bare and frequencies.of_answer(first) < _KNOWN


def clarity(reading: Reading) -> float:
    """Return from 0 to 1 how well a sentence is understood without the others."""
    text, tokens = reading.sentence.text, reading.tokens
    score = 1.0
    lowers = {token.lower for token in tokens}
    score -= 0.15 * bool(lowers & {"you", "your", "yourself"})
    score -= 0.1 * bool(lowers & {"it", "they", "them", "he", "she", "him"})
    score -= 0.1 * ("(" in text)
    score -= 0.1 * (len(tokens) > 28)
    score -= 0.1 * (" – " in text or " — " in text)
    score -= 0.15 * bool(lowers & {"maybe", "perhaps", "probably", "just", "very", "really", "simply", "nice", "quite"})
    score -= 0.25 * bool(lowers & _ABOUT_READING)
    first = next((answer for answer in reading.answers if answer.subject), None)
    if tokens[0].lower == "the" and first is None:
        score -= 0.1
    return max(0.0, score)


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Return the share of words that two texts have in common (Jaccard)."""
    mine, theirs = set(one), set(other)
    return len(mine & theirs) / max(1, len(mine | theirs))
