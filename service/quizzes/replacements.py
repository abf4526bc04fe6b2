"""Another question in the place of one, by rules; a function of the texts and of what the quiz asks already."""

from collections.abc import Sequence
from random import Random

from service.quizzes.drafts import Asked, Draft, Material
from service.quizzes.generation import candidates, identified
from service.quizzes.selection import select
from service.quizzes.validation import content_words

ALIKE = 0.6  # share of words in common above which two questions are one


def replacement(
    materials: Sequence[Material],
    neighbours: Sequence[Material],
    asked: Asked,
    source: int,
    taken: frozenset[tuple[int, int]],
    stems: Sequence[str],
) -> Draft | None:
    """Return the best question of the text `source` whose passage is not taken: (text, place) of each; None: no more.

    It is of the first of the types that are asked for, or of another where that gives none.
    """
    known = [identified(material) for material in materials]
    words = [content_words(stem) for stem in stems]
    free = [
        draft
        for draft in candidates(known, neighbours, asked)
        if (draft.source, draft.passage_start) not in taken and not _alike(content_words(draft.stem), words)
    ]
    lengths = [len(material.content) for material in known]
    for drafts in ([draft for draft in free if draft.source == source], free):
        for types in (asked.types[:1], asked.types):
            chosen = select(drafts, 1, types, asked.difficulty, lengths, Random(asked.seed))
            if chosen:
                return chosen[0]
    return None


def _alike(mine: set[str], others: Sequence[set[str]]) -> bool:
    return any(len(mine & theirs) > ALIKE * len(mine | theirs) for theirs in others)
