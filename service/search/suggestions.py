"""What a person may mean: words and titles that begin like what is typed, and the right spelling of what is unknown.

Nothing is suggested that only stands in what the account may not see.
"""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from sqlalchemy import text

from service.database import ReadSession
from service.search.filters import CONDITION, Filters
from service.search.query import All, Query, Term, tsquery
from service.search.tables import SHORT

MANY = 200  # texts whose titles are looked at
FREQUENT = 200  # words that begin so, of those in most texts, as their magnitudes say
SHORTEST = 4  # letters of a word that may be misspelled
UNKNOWN = 3  # words of a query for which another spelling is looked for
ALIKE = 0.7  # share of the letters that two spellings have in common, at least

_WORD = re.compile(r"\w+")
_LAST = re.compile(rf"\w{{{SHORT},100}}$")  # one letter begins too much

# A term in more texts than others keep to themselves is in one that the account may see; else one has to look.
_VISIBLE = f"""documents > (
        SELECT count(*) FROM resources WHERE private AND owner_id IS DISTINCT FROM :account) OR EXISTS (
        SELECT FROM (SELECT d.resource_id FROM search_documents d
            WHERE d.tsv @@ CAST(quote_literal(lexeme) AS tsquery) OFFSET 0) d
        JOIN resources r ON r.id = d.resource_id WHERE {CONDITION})"""  # noqa: S608

_WORDS = text(
    f"""SELECT word FROM (
        SELECT word, lexeme, documents FROM (
            SELECT word, term_id FROM search_words
            WHERE left(word, {SHORT}) = left(:beginning, {SHORT})
                AND word >= :beginning AND word < :beginning || chr(1114111)
            ORDER BY left(word, {SHORT}), magnitude DESC LIMIT {FREQUENT}
        ) frequent JOIN search_terms t ON t.id = term_id
        WHERE documents > 0 ORDER BY documents DESC, word LIMIT 50
    ) likely
    WHERE {_VISIBLE} LIMIT :most"""  # noqa: S608
)
_TITLES = text(
    f"""SELECT DISTINCT ON (length(title), title) title
    FROM (SELECT r.title FROM resources r
        WHERE to_tsvector('simple', r.title) @@ to_tsquery('simple', :beginning) AND {CONDITION} LIMIT {MANY}) found
    ORDER BY length(title), title LIMIT :most"""  # noqa: S608
)
_UNKNOWN = text(
    """SELECT word FROM unnest(CAST(:words AS text[])) WITH ORDINALITY AS asked(word, place)
    WHERE NOT EXISTS (
        SELECT FROM search_corpora c, unnest(tsvector_to_array(to_tsvector(c.configuration::regconfig, word))) AS lexeme
        JOIN search_terms t USING (lexeme) WHERE t.documents > 0
    ) AND NOT EXISTS (SELECT FROM search_corpora c WHERE to_tsvector(c.configuration::regconfig, word) = '')
    ORDER BY place LIMIT :most"""
)
_LIKE = text(
    f"""SELECT word, documents FROM (
        SELECT word, lexeme, documents FROM search_words JOIN search_terms t ON t.id = term_id
        WHERE word % :word AND documents > 0
        ORDER BY similarity(word, :word) DESC, documents DESC, word LIMIT 20
    ) likely
    WHERE {_VISIBLE}"""  # noqa: S608
)


class Suggestion(NamedTuple):
    """What may be searched for, or opened."""

    text: str
    kind: Literal["word", "title"]


async def suggest(session: ReadSession, typed: str, filters: Filters, most: int) -> list[Suggestion]:
    """Return how `typed` may go on: its last word, the most frequent ones first, and titles that hold all its words."""
    last = _LAST.search(typed)
    if last is None:
        return []
    *before, _ = words = _WORD.findall(typed)
    beginning = last[0].lower()
    parameters = filters.parameters | {"beginning": beginning, "most": most}
    found = list(await session.scalars(_WORDS, parameters))
    in_title = tsquery(All((*map(Term, before), Term(words[-1], True))))
    titles = list(await session.scalars(_TITLES, filters.parameters | {"beginning": in_title, "most": most}))
    kept = typed[: last.start()]
    of_words = [Suggestion(kept + word, "word") for word in found[: max(most - len(titles), (most + 1) // 2)]]
    return [*of_words, *(Suggestion(title, "title") for title in titles)][:most]


async def spelled(session: ReadSession, query: Query, filters: Filters) -> str | None:
    """Return the query with its unknown words replaced by known ones like them; None where there is nothing to say."""
    words = [word for term in query.terms if not term.prefix for word in term.text.split()]
    words = [word for word in words if word.isalpha() and len(word) >= SHORTEST]
    if not words:
        return None
    corrected = query.text
    for word in await session.scalars(_UNKNOWN, {"words": words, "most": UNKNOWN}):
        rows = (await session.execute(_LIKE, filters.parameters | {"word": word.lower()})).all()
        likeness = {row.word: SequenceMatcher(None, word.lower(), row.word).ratio() for row in rows}
        best = max(rows, key=lambda row: (likeness[row.word], row.documents), default=None)
        if best is not None and likeness[best.word] >= ALIKE:
            corrected = corrected.replace(word, best.word)
    return corrected if corrected != query.text else None
