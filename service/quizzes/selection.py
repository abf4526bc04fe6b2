"""Which of many questions make a quiz: the best, spread over the material, of all types, none twice."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from service.quizzes.drafts import Difficulty, Draft, Type
from service.quizzes.validation import content_words

LEAST = 0.4  # merit: fewer questions are better than worse ones
CHANCE = 0.15  # merit: so that another seed makes another quiz of the same text
SAME = 0.6  # share of words in common above which two questions are one
MIX: dict[Difficulty, float] = {"easy": 0.3, "medium": 0.5, "hard": 0.2}


@dataclass(slots=True)
class _Quiz:
    """What is chosen so far."""

    chosen: list[Draft] = field(default_factory=list[Draft])
    topics: Counter[str] = field(default_factory=Counter[str])
    passages: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    words: list[set[str]] = field(default_factory=list[set[str]])
    places: Counter[int] = field(default_factory=Counter[int])
    difficulties: Counter[str] = field(default_factory=Counter[str])
    truths: Counter[bool] = field(default_factory=Counter[bool])

    def takes(self, draft: Draft) -> bool:
        """Tell whether a question asks for something new."""
        if (draft.source, draft.passage_start) in self.passages or self.topics[draft.topic]:
            return False
        mine = content_words(f"{draft.stem} {draft.passage}")
        return all(len(mine & theirs) <= SAME * len(mine | theirs) for theirs in self.words)

    def add(self, draft: Draft, place: int) -> None:
        self.chosen.append(draft)
        self.topics[draft.topic] += 1
        self.passages.add((draft.source, draft.passage_start))
        self.words.append(content_words(f"{draft.stem} {draft.passage}"))
        self.places[place] += 1
        self.difficulties[draft.difficulty] += 1
        if draft.type == "true_false":
            self.truths[draft.answer["value"]] += 1


def select(
    drafts: Sequence[Draft],
    number: int,
    types: Sequence[Type],
    difficulty: Difficulty | None,
    lengths: Sequence[int],
    random: Random,
    most_truths: float = 1.0,
) -> list[Draft]:
    """Choose up to `number` questions; `lengths` are the characters of the materials, in the order of their sources,
    `most_truths` the share of true-or-false questions where other types are asked for, too.

    A difficulty that is asked for comes first. Each turn takes the type whose turn it is, and of that type the question
    of the greatest merit, less what was taken of its part of the material, its difficulty and its truth already.
    """
    starts = [sum(lengths[:source]) for source in range(len(lengths))]
    whole = max(1, sum(lengths))
    parts = max(1, number)

    def place(draft: Draft) -> int:
        return (starts[draft.source] + draft.passage_start) * parts // whole

    shares: dict[Difficulty, float] = MIX if difficulty is None else {difficulty: 1.0}
    quiz = _Quiz()

    def value(draft: Draft) -> float:
        score = draft.merit + luck[id(draft)] - 0.12 * quiz.places[place(draft)]
        score -= 0.04 * (quiz.places[place(draft) - 1] + quiz.places[place(draft) + 1])
        wanted = shares.get(draft.difficulty, 0.0) * number
        score -= 0.1 * (quiz.difficulties[draft.difficulty] >= wanted)
        if draft.type == "true_false":
            true = bool(draft.answer["value"])
            score -= 0.15 * (quiz.truths[true] > quiz.truths[not true])
        return score

    luck = {id(draft): CHANCE * random.random() for draft in drafts}
    fitting = [draft for draft in drafts if draft.merit >= LEAST]
    for group in ([draft for draft in fitting if draft.difficulty == difficulty], fitting):
        left: dict[Type, list[Draft]] = {type: [draft for draft in group if draft.type == type] for type in types}
        while len(quiz.chosen) < number and any(left.values()):
            for type in _turns(types):
                left[type] = [draft for draft in left[type] if quiz.takes(draft)]
                if type == "true_false" and len(types) > 1 and sum(quiz.truths.values()) >= most_truths * number:
                    left[type] = []
                if left[type] and len(quiz.chosen) < number:
                    best = max(left[type], key=value)
                    quiz.add(best, place(best))
    return sorted(quiz.chosen, key=lambda draft: (draft.source, draft.passage_start))


def _turns(types: Sequence[Type]) -> list[Type]:
    """Return the order of types: multiple choice comes twice, since it is answered and marked most surely."""
    turns: list[Type] = []
    for type in types:
        turns.append(type)
        if type == "multiple_choice":
            turns.append(type)
    return turns
