"""What a sentence can be asked about: names, terms, numbers, years and definitions, each with its place in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from service.quizzes import vocabulary as words
from service.quizzes.grammar import ANY_CASE, Casing, Phrase, Token, has_finite_verb, phrases_of, tokens_of
from service.quizzes.lexicon import is_number_word, is_plural, parts_of
from service.quizzes.sentences import Sentence

Kind = Literal["name", "term", "number", "year", "definition"]
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d\Z")
_NUMBER = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d+)?%?\Z")
_NOT_COUNTED = frozenset(  # what a number after it only labels
    "section chapter table figure version release number no page part volume level step type class port python debian"
    " rfc pep iso article act verse grade size score line row column option item appendix windows".split()
)
_NOT_A_NAME = frozenset(
    "mr mrs ms dr i the a an january february march april may june july august september october november december"
    " none true false null how how-to howto that that’s what why when where who yes ltd inc"
    " monday tuesday wednesday thursday friday saturday sunday ok am pm tv us uk u.s".split()
)
LONGEST_TERM = 4  # words


@dataclass(frozen=True, slots=True)
class Answer:
    """A part of a sentence that can be asked for.

    `subject` tells that the sentence is about it: begins with it, and goes on with what it is or does.
    """

    kind: Kind
    text: str
    start: int
    end: int
    key: str
    plural: bool = False
    subject: bool = False
    article: str = ""  # the word before it that belongs to it, as it stands there
    spelled: str = ""  # as it is written within a sentence: a term in lower case, a name as it is


@dataclass(frozen=True, slots=True)
class Definition:
    """A sentence of the form “A term is what it means.”"""

    answer: Answer
    verb: str  # is, are, was, were
    meaning: str  # with its article, without the full stop


@dataclass(frozen=True, slots=True)
class Reading:
    """A sentence with all that can be asked about it."""

    sentence: Sentence
    tokens: tuple[Token, ...]
    answers: tuple[Answer, ...]
    definition: Definition | None


def read(sentence: Sentence, casing: Casing = ANY_CASE) -> Reading | None:
    """Read an English sentence; None where it says nothing: has no verb, or tells somebody to do something.

    `casing` is how its text writes its words.
    """
    tokens = tokens_of(sentence.text, casing)
    if not has_finite_verb(tokens) or is_imperative(tokens) or is_fragment(tokens) or has_stranger(tokens):
        return None
    phrases = list(phrases_of(tokens))
    answers = [*_phrases(sentence.text, tokens, phrases), *_numbers(tokens)]
    return Reading(sentence, tuple(tokens), tuple(answers), _definition(sentence.text, tokens, answers))


def is_imperative(tokens: Sequence[Token]) -> bool:
    """Tell whether a sentence begins with a verb in the form of a command."""
    first = tokens[0].lower
    known = parts_of(first)
    if first in ("be", "do", "don’t", "don't", "let", "have"):
        return True
    if known.get("VERB") != first or tokens[0].part == "auxiliary":
        return False
    following = tokens[1] if len(tokens) > 1 else None
    if following is None or "NOUN" not in known:
        return "NOUN" not in known and "ADJ" not in known
    if following.part in ("determiner", "possessive", "proper", "pronoun", "adverb", "adjective"):
        return True
    predicate = len(tokens) > 2 and tokens[2].part in ("auxiliary", "modal", "verb", "wh")
    return is_plural(following.text) and not predicate  # “Bind values to it”, unlike “Plant cells are green”


def is_fragment(tokens: Sequence[Token]) -> bool:
    """Tell whether a sentence is none, but an entry of a reference: “Raised when it fails.”, “True if it is one.”"""
    first, following = tokens[0], tokens[1]
    if first.lower in _ENTRIES or following.lower in ("if", "when", ",", "–", "—", "=", "may"):
        return first.lower in _ENTRIES or first.part not in ("preposition", "adverb")
    if first.part == "verb" and not first.lower.endswith("ing"):
        return True
    relative = next((place for place, token in enumerate(tokens[:5]) if token.lower in ("that", "which", "who")), None)
    finite = [
        t for t in tokens if t.part in ("auxiliary", "modal") or (t.part == "verb" and not t.lower.endswith(_FORMS))
    ]
    if relative is not None and not any(token in finite for token in tokens[:relative]) and len(finite) < 2:
        return True  # “Functions that create an iterator.”
    verb = parts_of(first.lower).get("VERB", first.lower)
    if verb != first.lower and first.lower.endswith("s") and following.part in ("preposition", "determiner", "to"):
        return True  # “Matches at the end of a line.”
    bare = first.part in ("noun", "adjective") and not is_plural(first.text)
    return bare and following.part == "verb" and following.lower.endswith(("ed", "ing"))


_FORMS = ("ing", "ed")
_ENTRIES = frozenset(
    "true false none return returns raise raises raised changed new deprecated added note default example examples"
    " usage optional exception availability class method function module object attribute parameter".split()
)


def has_stranger(tokens: Sequence[Token]) -> bool:
    """Tell whether a sentence speaks of a person that it does not name."""
    for place, token in enumerate(tokens):
        if token.lower in ("he", "she", "him", "her", "his", "hers", "himself", "herself"):
            return not any(one.part == "proper" for one in tokens[:place])
    return False


def _phrases(text: str, tokens: Sequence[Token], phrases: Sequence[Phrase]) -> Iterator[Answer]:
    for phrase in phrases:
        if len(phrase.tokens) > LONGEST_TERM or not is_telling(phrase):
            continue
        kind: Kind = "name" if phrase.proper else "term"
        article = phrase.article.text if phrase.article is not None else ""
        if article.lower() not in ("", "the", "a", "an"):
            article = ""
            if phrase.article is not None and phrase.article.lower in words.DEMONSTRATIVES:
                continue
        begins = phrase.before is None and (phrase.article is None or bool(article))
        subject = begins and phrase.after is not None and _is_finite(phrase.after, phrase.plural)
        if begins and not (article or phrase.proper or phrase.plural) and "VERB" in parts_of(phrase.head.lower):
            continue  # “Bind”, “Column”: a command, or a part of a longer phrase
        if not subject and is_coordinated(phrase):
            continue  # of “bytes or strings” nobody knows which
        span = text[phrase.start : phrase.end]
        named = phrase.start or phrase.tokens[0].part == "proper"
        spelled = span if named else span[0].lower() + span[1:]
        plural = phrase.plural and not phrase.proper
        yield Answer(kind, span, phrase.start, phrase.end, phrase.key, plural, subject, article, spelled)


def is_coordinated(phrase: Phrase) -> bool:
    """Tell whether a phrase is a part of an enumeration."""
    around = [token.lower for token in (phrase.before, phrase.after) if token is not None]
    return any(word in ("and", "or", ",", "nor", "&") for word in around[:1]) or around[1:] in (["and"], ["or"], [","])


def is_telling(phrase: Phrase) -> bool:
    """Tell whether a phrase names something in particular."""
    head = phrase.head.lower
    if any(not _PRINTED.fullmatch(token.text) for token in phrase.tokens):
        return False
    first = phrase.tokens[0]
    if first.lower.endswith("ing") and phrase.article is None and "VERB" in parts_of(first.lower):
        return False  # “by learning Python” names no thing
    if phrase.proper:
        return len(phrase.key) > 2 and not any(token.lower.strip(".") in _NOT_A_NAME for token in phrase.tokens)
    if phrase.key.split()[-1] in words.VAGUE or len(head) < 3 or not re.fullmatch(r"[\w’'-]+", head):
        return False
    superlative = phrase.tokens[0].lower.endswith("est") and "ADJ" in parts_of(phrase.tokens[0].lower)
    return not superlative and not any(token.lower in _WEAK for token in phrase.tokens)


_PRINTED = re.compile(r"[A-Za-zÀ-ɏ][\w’'&/-]*[\w+#]|\d+")
_WEAK = frozenset(
    "other same own such certain various many different new old good bad best better main several similar particular"
    " specific possible few whole entire full real simple large small big little great next previous last first second"
    " third special common general additional following above current recent important etc sure wide basic usual"
    " normal typical arbitrary actual appropriate proper right wrong final original extra further available necessary"
    " useful popular major minor average individual single multiple respective correct given related including"
    " limited poor de facto".split()
)


def _is_finite(token: Token, plural: bool) -> bool:
    if token.part in ("auxiliary", "modal"):
        return (
            (token.lower not in ("is", "was", "has", "does"))
            if plural
            else token.lower not in ("are", "were", "have", "do")
        )
    if token.part != "verb":
        return False
    base = parts_of(token.lower).get("VERB", token.lower)
    if token.lower.endswith("ing"):
        return False
    if token.lower.endswith("s") and token.lower != base:
        return not plural
    return plural if token.lower == base else False


def _numbers(tokens: Sequence[Token]) -> Iterator[Answer]:
    for place, token in enumerate(tokens):
        if token.part != "number" or place == 0:
            continue
        before = tokens[place - 1]
        after = tokens[place + 1] if place + 1 < len(tokens) else None
        if before.part in ("mark", "proper", "number") or before.lower in _NOT_COUNTED:
            continue
        if _YEAR.match(token.text) and before.part in ("preposition", "determiner", "conjunction"):
            if before.lower in ("in", "since", "until", "by", "of", "from", "before", "after", "during", "around"):
                yield Answer("year", token.text, token.start, token.end, token.text, spelled=token.text)
            continue
        counted = token.text.endswith("%") or (after is not None and after.part in ("noun", "adjective"))
        if counted and (is_number_word(token.text) or (_NUMBER.match(token.text) and token.text not in ("0", "1"))):
            yield Answer("number", token.text, token.start, token.end, token.lower, spelled=token.text)


def _definition(text: str, tokens: Sequence[Token], answers: Sequence[Answer]) -> Definition | None:
    """Find “X is a Y that ...” and “Xs are Ys that ...”."""
    subject = next((answer for answer in answers if answer.subject), None)
    if subject is None or subject.kind not in ("term", "name"):
        return None
    place = next(place for place, token in enumerate(tokens) if token.start >= subject.end)
    if tokens[place].lower not in ("is", "are") or place + 3 >= len(tokens):
        return None
    meaning = text[tokens[place].end :].strip().rstrip(".")
    following = tokens[place + 1]
    is_class = following.lower in ("a", "an") or (following.lower == "the" and subject.article.lower != "the")
    if subject.plural:
        head = next((token for token in tokens[place + 1 :] if token.part not in ("adjective", "noun")), None)
        inner = [t for t in tokens[place + 1 :] if head is None or t.start < head.start]
        is_class = (
            bool(inner)
            and inner[-1].part == "noun"
            and parts_of(inner[-1].lower).get("NOUN", inner[-1].lower) != inner[-1].lower
        )
    if not is_class or len(meaning.split()) < 4:
        return None
    if re.search(r"\b(?:it|its|he|she|they|them|their)\b", meaning):
        return None
    return Definition(subject, tokens[place].lower, meaning)
