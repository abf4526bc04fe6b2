"""A rough reading of an English sentence: a part of speech for each word, and the phrases that name something.

Words that the language is built with are known; others take what the lexicon allows and the word before demands. It is
right for about nine words of ten, so that who uses it looks for phrases between words that are sure.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from service.quizzes import vocabulary as words
from service.quizzes.lexicon import is_number_word, is_plural, parts_of, singular

Part = Literal[
    "noun", "proper", "verb", "adjective", "adverb", "number", "determiner", "possessive", "preposition", "pronoun",
    "conjunction", "wh", "auxiliary", "modal", "to", "mark",
]  # fmt: skip
_TOKEN = re.compile(
    r"\d+(?:[.,–-]\d+)*%?(?![^\W_]|-[^\W\d_])|(?:[^\W\d_]\.){2,}|[^\W_]+(?:[-/+.’'][^\W_]+)*(?:\+\+|#)?|[^\w\s]|_+"
)
_CLOSED: dict[str, Part] = {
    **dict.fromkeys(words.ADVERBS, "adverb"),
    **dict.fromkeys(words.PREPOSITIONS, "preposition"),
    **dict.fromkeys(words.CONJUNCTIONS, "conjunction"),
    **dict.fromkeys(words.PRONOUNS, "pronoun"),
    **dict.fromkeys(words.DETERMINERS | words.DEMONSTRATIVES, "determiner"),
    **dict.fromkeys(words.POSSESSIVES, "possessive"),
    **dict.fromkeys(words.WH_WORDS, "wh"),
    **dict.fromkeys(words.AUXILIARIES, "auxiliary"),
    **dict.fromkeys(words.MODALS, "modal"),
    "to": "to",
}
_ADJECTIVAL = ("ed", "like", "based", "specific", "free", "only", "wide", "level", "time", "aware", "friendly", "ing")
_AFTER_NOUN = words.AUXILIARIES | words.MODALS | {"of"}
_NOMINAL = frozenset({"determiner", "possessive", "adjective", "preposition", "number"})
BORDERS = frozenset({"preposition", "conjunction", "wh", "auxiliary", "modal", "to", "mark", "pronoun"})


@dataclass(frozen=True, slots=True)
class Token:
    """A word or mark of a sentence, its place in it, and what it is there."""

    text: str
    start: int
    end: int
    part: Part

    @property
    def lower(self) -> str:
        return self.text.lower()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that name something, without their article; `before` and `after` are the tokens around."""

    tokens: tuple[Token, ...]
    article: Token | None
    before: Token | None
    after: Token | None

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    @property
    def head(self) -> Token:
        return self.tokens[-1]

    @property
    def proper(self) -> bool:
        return self.tokens[0].part == "proper" and all(token.part in ("proper", "number") for token in self.tokens)

    @property
    def plural(self) -> bool:
        return is_plural(self.head.text)

    @property
    def key(self) -> str:
        """The phrase in lower case, with its last word in the singular."""
        if self.proper:
            return " ".join(token.lower for token in self.tokens)
        return " ".join([*(token.lower for token in self.tokens[:-1]), singular(self.head.text)])


@dataclass(frozen=True, slots=True)
class Casing:
    """How a text writes its words: those that it has in lower case, and those that it mostly has as names."""

    lower: Container[str] = ()
    names: Container[str] = ()


ANY_CASE = Casing()  # where nothing is known of it


def tokens_of(sentence: str, casing: Casing = Casing()) -> list[Token]:  # it is frozen
    """Read a sentence of a text that writes its words so."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(sentence):
        previous = tokens[-1] if tokens else None
        following = _TOKEN.search(sentence, match.end())
        part = _part(match[0], previous, following[0] if following else "", tokens, casing)
        tokens.append(Token(match[0], match.start(), match.end(), part))
    return tokens


def _part(text: str, previous: Token | None, following: str, before: Sequence[Token], casing: Casing) -> Part:
    if not text[0].isalnum():
        return "mark"
    if text[0].isdigit() and not re.search(r"[^\W\d_]", text):
        return "number"
    lower = text.lower()
    closed = _CLOSED.get(lower) or _contraction(lower)
    if closed is not None and (text == lower or previous is None or previous.part == "mark"):
        if lower == "that" and previous is not None and previous.part == "noun":
            return "wh"
        return closed
    if is_number_word(lower):
        return "number"
    known = parts_of(lower)
    if previous is None and lower in casing.names:
        return "proper"
    if any(letter.isupper() for letter in text) and (
        previous is not None or any(letter.isupper() for letter in text[1:]) or not (known or lower in casing.lower)
    ):
        return "adjective" if "-" in lower and lower.endswith(_ADJECTIVAL) else "proper"
    if previous is None and text[0].isupper() and following[:1].isupper() and "NOUN" not in known:
        return "proper"
    return _open(lower, known, previous, following, before)


def _contraction(lower: str) -> Part | None:
    stem = lower.replace("’", "'").removesuffix("n't")
    if stem != lower.replace("’", "'"):
        return "auxiliary" if stem in words.AUXILIARIES else "modal"
    return None


def _open(lower: str, known: dict[str, str], previous: Token | None, following: str, before: Sequence[Token]) -> Part:
    """Choose between noun, verb, adjective and adverb."""
    if lower.endswith(_ADJECTIVAL) and "-" in lower:
        return "adjective"
    if not known and "-" in lower and _may_name(following):
        return "adjective"
    if not known:
        if lower.endswith("ly"):
            return "adverb"
        if lower.endswith("ed") and len(lower) > 4:
            return "verb"
        return "noun"
    if set(known) <= {"ADV"} or (lower.endswith("ly") and "ADV" in known):
        return "adverb"
    last = previous.part if previous is not None else "mark"
    if "NOUN" in known and last in ("noun", "proper", "adjective") and following.lower() in _AFTER_NOUN:
        return "noun"
    if "NOUN" in known and last in ("noun", "proper", "adjective") and lower.endswith("s") and _only_verb(following):
        return "noun"
    nominal = last in _NOMINAL or last == "mark"
    if "VERB" in known and last in ("to", "modal"):
        return "verb"
    if "VERB" in known and last in ("auxiliary", "adverb") and lower.endswith(("ed", "ing", "en", "wn")):
        return "verb"
    if last == "auxiliary" and "ADJ" in known:
        return "adjective"
    if "VERB" in known and last == "pronoun":
        return "verb"
    if "ADJ" in known and ("NOUN" not in known or _may_name(following)):
        return "adjective"
    if "NOUN" not in known:
        if "VERB" in known:
            participle = lower.endswith(("ed", "ing", "en")) and nominal and _may_name(following)
            return "adjective" if participle else "verb"
        return "adjective" if "ADJ" in known else "adverb"
    if (
        "VERB" in known
        and last in ("noun", "proper", "wh")
        and not any(t.part in ("verb", "auxiliary", "modal") for t in before)
    ):
        if known["VERB"] != lower and not lower.endswith("ing"):
            return "verb"
        if previous is not None and previous.part == "noun" and is_plural(previous.text) and known["VERB"] == lower:
            return "verb"
    if "VERB" in known and last == "wh":
        return "verb"
    return "noun"


def _only_verb(word: str) -> bool:
    """Tell whether a word can be nothing but a finite verb."""
    known = parts_of(word) if word.isalpha() and word.lower() not in _CLOSED else {}
    return "VERB" in known and not {"NOUN", "ADJ", "ADV"} & set(known) and not word.endswith(("ing", "ed"))


def _may_name(word: str) -> bool:
    """Tell whether a word may belong to a phrase that the word before began."""
    lower = word.lower()
    if not word[:1].isalpha() or lower in _CLOSED:
        return False
    known = parts_of(lower)
    return not known or "NOUN" in known or "ADJ" in known


def phrases_of(tokens: Sequence[Token]) -> Iterator[Phrase]:
    """Yield the phrases that name something and stand between words that are sure, from left to right."""
    place = 0
    while place < len(tokens):
        if tokens[place].part not in ("noun", "proper", "adjective"):
            place += 1
            continue
        end = place
        while end < len(tokens) and tokens[end].part in ("noun", "proper", "adjective"):
            end += 1
        if end < len(tokens) and tokens[end].text.isdigit() and tokens[end - 1].part == "proper":
            end += 1  # PEP 8
        before = tokens[place - 1] if place else None
        after = tokens[end] if end < len(tokens) else None
        article = before if before is not None and before.part in ("determiner", "possessive", "number") else None
        if article is not None:
            before = tokens[place - 2] if place > 1 else None
        sure = (article is not None or before is None or before.part in BORDERS or _may_govern(before)) and (
            after is None or after.part in BORDERS or after.part == "verb"
        )
        if sure and tokens[end - 1].part in ("noun", "proper", "number"):
            yield Phrase(tuple(tokens[place:end]), article, before, after)
        place = end


def _may_govern(token: Token) -> bool:
    """Tell whether a phrase may begin after a verb: of “balancing programs” nobody knows."""
    known = parts_of(token.lower)
    both = "NOUN" in known and known.get("VERB") == token.lower
    return token.part == "verb" and not both and not token.lower.endswith("ing")


def has_finite_verb(tokens: Sequence[Token]) -> bool:
    """Tell whether a sentence says something: has an auxiliary, a modal, or a verb that is no infinitive."""
    return any(
        token.part in ("auxiliary", "modal")
        or (token.part == "verb" and not token.lower.endswith("ing") and (not place or tokens[place - 1].part != "to"))
        for place, token in enumerate(tokens)
    )
