"""What a benchmark found: figures with their repeats, marks met or missed, and what was checked."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal


class WorkNotDone(Exception):
    """A benchmark measured something, but the rows or messages that it should have left are not there."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity of one contestant, a value for each repeat."""

    what: str
    who: str
    unit: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure that we promise: `value` is at least, or at most, `bound`."""

    what: str
    value: float
    kind: Literal["at least", "at most"]
    bound: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value >= self.bound if self.kind == "at least" else self.value <= self.bound


@dataclass(slots=True)
class Report:
    """The outcome of one benchmark; `setting` says in words what was run, `checks` what was verified."""

    name: str
    title: str
    setting: str
    figures: list[Figure] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    checks: dict[str, list[object]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def figure(self, what: str, who: str, unit: str, values: Sequence[float]) -> Figure:
        """Add a figure and return it."""
        added = Figure(what, who, unit, [round(value, 3) for value in values])
        self.figures.append(added)
        return added

    def mark(self, what: str, value: float, kind: Literal["at least", "at most"], bound: float, unit: str = "") -> None:
        """Compare with what we promise."""
        self.marks.append(Mark(what, round(value, 3), kind, bound, unit))

    def check(self, what: str, found: object, expected: object) -> None:
        """Make sure that the work was done; WorkNotDone where it was not."""
        if found != expected:
            raise WorkNotDone(f"{self.name}: {what}: found {found}, expected {expected}")
        self.checks.setdefault(what, []).append(found)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` % of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]
