"""The query language: what a person types, as a tree, and from it what PostgreSQL matches, weighs and marks.

    machine learning      both words; where few texts have both, any of them
    "neural network"      these words side by side
    a AND b, a OR b       both, either
    NOT a, -a             not this one
    comput*               words that begin like this
    ( )                   groups

Operators are upper case; one that makes no sense where it stands is left out. Signs inside a word part it, in texts and
in queries alike: `asyncio.run` is `asyncio` and `run` side by side.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.errors import Invalid

LONGEST = 1000  # characters of a query
LONGEST_WORD = 200  # characters; PostgreSQL refuses words of 2,047 bytes

BREAKS = "".join(chr(code) for code in range(33, 127) if not chr(code).isalnum() and chr(code) != "'")
BLANKS = " " * len(BREAKS)  # SQL's translate(text, BREAKS, BLANKS) parts texts as `_PARTED` parts queries
_PARTED = str.maketrans(BREAKS, BLANKS)

_TOKEN = re.compile(r'"(?P<phrase>[^"]*)"?|(?P<bracket>[()])|(?P<minus>(?<![^\s(])-(?=[^\s-]))|(?P<word>[^\s"()]+)')


class EmptyQuery(Invalid):
    """The query is empty: say what to look for."""


class NoWords(Invalid):
    """The query has no word and no number in it: say what to look for."""


class OnlyExclusions(Invalid):
    """The query only says what must not be there: add a word to look for."""


class QueryTooLong(Invalid):
    """The query is longer than {most} characters."""


class WordTooLong(Invalid):
    """A word of the query is longer than {most} characters."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words side by side, mostly one; with `prefix` the last is the beginning of a word."""

    text: str
    prefix: bool = False

    @property
    def parts(self) -> "list[Term]":
        """The words of a compound like `high-speed`; one with digits, like `10.1000/182`, is nothing in parts."""
        words = self.text.split()
        if len(words) == 1 or any(character.isdigit() for character in self.text):
            return [self]
        return [*map(Term, words[:-1]), Term(words[-1], self.prefix)]


@dataclass(frozen=True, slots=True)
class Not:
    """What must not be there."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class All:
    """Conditions that all hold."""

    of: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """Conditions of which one holds."""

    of: "tuple[Node, ...]"


Node = Term | Not | All | Either


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood: bare words, and what was asked for with quotes, signs or operators."""

    text: str
    bare: tuple[Term, ...]
    demanded: tuple[Node, ...]

    @property
    def strict(self) -> str:
        """The tsquery of a full match."""
        return tsquery(All((*self.demanded, *self.bare)))

    @property
    def partly(self) -> set[Term]:
        """What a partial match has one of, beside all that is demanded: bare words, parts of bare compounds."""
        return {part for term in self.bare for part in term.parts}

    @property
    def demand(self) -> str | None:
        """The tsquery of what must hold for matches by meaning, too."""
        return tsquery(All(self.demanded)) if self.demanded else None

    @property
    def only_excludes(self) -> bool:
        """Whether the demand says nothing but what must not be there."""
        return all(isinstance(node, Not) for node in self.demanded)

    @property
    def terms(self) -> list[Term]:
        """What is looked for, each once."""
        return list(dict.fromkeys(_wanted((*self.bare, *self.demanded))))

    @property
    def weighed(self) -> list[Term]:
        """What counts for the score: of a bare compound, its parts."""
        return list(
            dict.fromkeys(part for term in self.terms for part in (term.parts if term in self.bare else [term]))
        )

    @property
    def words(self) -> str:
        """What is looked for, without quotes, signs and operators."""
        return " ".join(term.text for term in self.terms)

    @property
    def meaning(self) -> str:
        """What is to be read for its meaning: a sentence as it stands."""
        return self.words if self.demanded else self.text


def parse(text: str, *, unfinished: bool = False) -> Query:
    """Understand a query; with `unfinished`, its last word may be the beginning of one.

    Raises EmptyQuery, NoWords, OnlyExclusions, QueryTooLong or WordTooLong.
    """
    if not text.strip():
        raise EmptyQuery
    if len(text) > LONGEST:
        raise QueryTooLong(most=LONGEST)
    parser = _Parser(text)
    for token in _TOKEN.finditer(text):
        parser.take(token, unfinished=unfinished and token.end() == len(text))
    query = parser.finish()
    if not query.bare and not query.demanded:
        raise NoWords
    if not query.terms:
        raise OnlyExclusions
    return query


def tsquery(node: Node) -> str:
    """Write a condition for `to_tsquery`: every word quoted, so that none of it is syntax."""
    match node:
        case Term(text, prefix):
            return "'" + text.replace("'", "''") + ("':*" if prefix else "'")
        case Not(of):
            return f"!{tsquery(of)}"
        case All(of):
            return _joined(" & ", of)
        case Either(of):
            return _joined(" | ", of)


def _joined(sign: str, nodes: Sequence[Node]) -> str:
    return tsquery(nodes[0]) if len(nodes) == 1 else "(" + sign.join(map(tsquery, nodes)) + ")"


def _wanted(nodes: Sequence[Node]) -> Iterator[Term]:
    for node in nodes:
        match node:
            case Term():
                yield node
            case All(of) | Either(of):
                yield from _wanted(of)
            case Not():
                pass


class _Level:
    """What an open bracket holds so far: alternatives, each a list of conditions."""

    def __init__(self, *, negated: bool = False) -> None:
        self.negated = negated
        self.alternatives: list[list[Node]] = [[]]
        self.operators = False
        self.negate_next = False

    def add(self, node: Node) -> None:
        self.alternatives[-1].append(Not(node) if self.negate_next else node)
        self.negate_next = False

    def node(self) -> Node | None:
        """Return the one condition that all this amounts to."""
        either = [_one(All, tuple(dict.fromkeys(nodes))) for nodes in self.alternatives if nodes]
        return _one(Either, tuple(either)) if either else None


def _one(kind: type[All] | type[Either], nodes: tuple[Node, ...]) -> Node:
    return nodes[0] if len(nodes) == 1 else kind(nodes)


class _Parser:
    """Builds the tree token by token, on a stack of its own: 500 brackets are no recursion."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._levels = [_Level()]
        self._signed: set[Term] = set()

    def take(self, token: re.Match[str], *, unfinished: bool) -> None:
        level = self._levels[-1]
        word = token["word"]
        if token["bracket"] == "(":
            self._levels.append(_Level(negated=level.negate_next))
            level.negate_next = False
        elif token["bracket"] == ")":
            if len(self._levels) > 1:
                self._close()
        elif token["minus"] or word == "NOT":
            level.negate_next = True
        elif word == "AND":
            level.operators = True
        elif word == "OR":
            level.operators = True
            level.alternatives.append([])
        elif token["phrase"] is not None:
            self._add(token["phrase"], signed=True)
        else:
            self._add(word.rstrip("*"), prefix=unfinished or word.endswith("*"), signed=word.endswith("*"))

    def finish(self) -> Query:
        while len(self._levels) > 1:
            self._close()
        level = self._levels[0]
        node = level.node()
        if node is None:
            return Query(self._text, (), ())
        if level.operators:
            return Query(self._text, (), (node,))
        nodes = node.of if isinstance(node, All) else (node,)
        bare = tuple(node for node in nodes if isinstance(node, Term) and node not in self._signed)
        return Query(self._text, bare, tuple(node for node in nodes if node not in bare))

    def _add(self, text: str, *, prefix: bool = False, signed: bool) -> None:
        words = text.translate(_PARTED).split()
        if not any(character.isalnum() for character in text):
            return
        if any(len(word) > LONGEST_WORD for word in words):
            raise WordTooLong(most=LONGEST_WORD)
        term = Term(" ".join(words), prefix)
        if signed:
            self._signed.add(term)
        self._levels[-1].add(term)

    def _close(self) -> None:
        closed = self._levels.pop()
        level = self._levels[-1]
        if not closed.operators and not closed.negated:  # brackets as in prose
            level.alternatives[-1] += closed.alternatives[-1]
        elif (node := closed.node()) is not None:
            level.negate_next = closed.negated
            level.add(node)
