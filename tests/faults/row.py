"""A row of the fault table: a scenario, its forms, its marks, and what was found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Form = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One more figure with a mark."""

    what: str
    found: float
    bound: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return f"{self.what} {number(self.found)}{self.unit} ({sign} {number(self.bound)})"


@dataclass(frozen=True, slots=True)
class Found:
    """What one run of a scenario found; `running` is how many duplicates the fault allows; times are in seconds."""

    lost: int
    duplicates: int
    recovery: float | None = None
    running: int = 0
    checks: list[Check] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """`recovery` is the mark in seconds; `peer` says why stock Dramatiq cannot run this, and is empty where it can."""

    name: str
    fault: str
    play: Callable[..., Awaitable[Found]]
    short: list[Form]
    long: list[Form]
    recovery: float | None = None
    peer: str = ""

    def missed(self, found: Found) -> list[str]:
        """Return the marks that were missed."""
        missed = [str(check) for check in found.checks if not check.met]
        if found.lost:
            missed.append(f"{found.lost} lost")
        if found.duplicates > found.running:
            missed.append(f"{found.duplicates} duplicates (<= {found.running})")
        if self.recovery is not None and (found.recovery is None or found.recovery > self.recovery):
            missed.append(f"back to work after {found.recovery} s (<= {self.recovery:g})")
        return missed


ROWS: dict[str, Row] = {}


def row(
    name: str,
    fault: str,
    *,
    short: list[Form] | None = None,
    long: list[Form] | None = None,
    recovery: float | None = None,
    peer: str = "",
) -> Callable[[Callable[..., Awaitable[Found]]], Callable[..., Awaitable[Found]]]:
    """Declare a row; without `long`, its long form is the short one."""

    def declare(play: Callable[..., Awaitable[Found]]) -> Callable[..., Awaitable[Found]]:
        forms = short or [{}]
        ROWS[name] = Row(name, fault, play, forms, long or forms, recovery, peer)
        return play

    return declare


def number(value: float) -> str:
    """Write a figure with as many digits as it deserves."""
    return f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:.3g}"
