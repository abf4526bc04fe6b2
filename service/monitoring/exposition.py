"""Prometheus's text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(slots=True)
class Family:
    """The series of one name; a counter's name ends in `_total`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    lines: list[str] = field(default_factory=list[str])

    def add(self, value: float, **labels: str) -> None:
        """Add the value of a counter or a gauge."""
        self._sample("", labels, value)

    def distribution(self, bounds: Sequence[float], counts: Sequence[int], total: float, **labels: str) -> None:
        """Add a histogram: how many values were up to each bound and above the one before, the last above all."""
        running = list(accumulate(counts))
        for bound, count in zip((*map(_number, bounds), "+Inf"), running, strict=True):
            self._sample("_bucket", {**labels, "le": bound}, count)
        self._sample("_sum", labels, total)
        self._sample("_count", labels, running[-1])

    def _sample(self, suffix: str, labels: Labels, value: float) -> None:
        shown = ",".join(f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels.items())
        self.lines.append(f"{self.name}{suffix}{f'{{{shown}}}' if shown else ''} {_number(value)}")


def written(families: Iterable[Family]) -> str:
    """Return the families that have a value as text."""
    return "".join(
        f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n" + "\n".join(family.lines) + "\n"
        for family in families
        if family.lines
    )


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
