"""What the material speaks of: how often each term and name occurs, and where. Distractors come from it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from service.quizzes.answers import Answer, Definition, Kind, Reading


@dataclass(slots=True)
class Entry:
    """A term or name: as it is written, how often it occurs, the places where it does."""

    answer: Answer
    count: int = 0
    places: list[int] = field(default_factory=list[int])
    subjects: int = 0  # times that a sentence is about it
    by_preposition: Counter[str] = field(default_factory=Counter[str])  # the word before a name: in Paris, by Ada


@dataclass(slots=True)
class Pool:
    """All terms, names and definitions of some material."""

    entries: dict[tuple[Kind, str], Entry] = field(default_factory=dict[tuple[Kind, str], Entry])
    definitions: list[tuple[int, Definition]] = field(default_factory=list[tuple[int, Definition]])

    def add(self, readings: Iterable[Reading], offset: int = 0) -> None:
        """Count what stands in sentences; `offset` is where their text begins in the whole material."""
        for reading in readings:
            place = offset + reading.sentence.start
            for answer in reading.answers:
                entry = self.entries.setdefault((answer.kind, answer.key), Entry(answer))
                entry.count += 1
                entry.subjects += answer.subject
                entry.places.append(place)
                before = [token for token in reading.tokens if token.end <= answer.start]
                if before and not answer.article and before[-1].part == "preposition":
                    entry.by_preposition[before[-1].lower] += 1
            if reading.definition is not None:
                self.definitions.append((place, reading.definition))

    def count(self, answer: Answer) -> int:
        """Return how often an answer occurs."""
        entry = self.entries.get((answer.kind, answer.key))
        return entry.count if entry else 0

    def by_kind(self) -> dict[Kind, list[Entry]]:
        """Return all entries by kind."""
        kinds: dict[Kind, list[Entry]] = defaultdict(list)
        for (kind, _), entry in self.entries.items():
            kinds[kind].append(entry)
        return kinds
