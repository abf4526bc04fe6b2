"""Plots as SVG, made by the server: lines over time, with the figures of each step under the pointer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, log10

from markupsafe import Markup, escape

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 22
TICKS = 4  # of time


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its name, its colour (a number of the style sheet), and a value for each step, None for a gap."""

    name: str
    colour: int
    values: Sequence[float | None]

    @property
    def last(self) -> float | None:
        return next((value for value in reversed(self.values) if value is not None), None)


def plot(title: str, moments: Sequence[datetime], lines: Sequence[Line], show: Callable[[float], str]) -> Markup:
    """Draw lines over the same moments; `show` writes a value. Times are UTC."""
    known = [value for line in lines for value in line.values if value is not None]
    top = nice(max(known, default=0))
    across, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    step = across / max(1, len(moments) - 1)

    def x(number: float) -> float:
        return round(LEFT + number * step, 1)

    def y(value: float) -> float:
        return round(TOP + high * (1 - value / top), 1)

    said = ", ".join(f"{line.name} {show(line.last)}" for line in lines if line.last is not None)
    parts = [f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(f"{title}: {said}")}">']
    for share in (0.0, 0.5, 1.0):
        at = y(top * share)
        parts.append(f'<path class="grid" d="M{LEFT} {at}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="value" x="{LEFT - 6}" y="{at + 4}">{escape(show(top * share))}</text>')
    for tick in range(TICKS):
        number = round(tick * (len(moments) - 1) / (TICKS - 1))
        words = f"{moments[number]:%H:%M}"
        place = "first" if tick == 0 else "last" if tick == TICKS - 1 else "middle"
        parts.append(f'<text class="time {place}" x="{x(number)}" y="{HEIGHT - 6}">{words}</text>')
    for line in lines:
        parts.append(f'<path class="line c{line.colour}" d="{_path(line.values, x, y)}"/>')
    for number, moment in enumerate(moments):
        told = [f"{line.name} {show(value)}" for line in lines if (value := line.values[number]) is not None]
        words = escape(f"{moment:%H:%M} UTC: {', '.join(told)}" if told else f"{moment:%H:%M} UTC")
        begin = round(x(number) - step / 2, 1)
        parts.append(f'<rect class="step" x="{begin}" y="{TOP}" width="{round(step, 1)}" height="{high}">')
        parts.append(f"<title>{words}</title></rect>")
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704  # numbers of ours, and words that are escaped


def nice(most: float) -> float:
    """Return the least of 1, 2, 5 times a power of ten that is not below; 1 for nothing."""
    if most <= 0:
        return 1.0
    power = 10.0 ** floor(log10(most))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= most * (1 - 1e-9))


def _path(values: Sequence[float | None], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    commands: list[str] = []
    pen = False
    for number, value in enumerate(values):
        if value is None:
            pen = False
            continue
        alone = not pen and (number + 1 == len(values) or values[number + 1] is None)
        commands.append(f"{'L' if pen else 'M'}{x(number)} {y(value)}" + ("h1" if alone else ""))
        pen = True
    return "".join(commands)


def brief(value: float) -> str:
    """Write a number in a few letters: `0.5`, `12`, `3.4k`, `2M`."""
    for unit, size in (("M", 1_000_000), ("k", 1000)):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + unit
    return f"{value:.1f}".removesuffix(".0") if value < 10 else str(ceil(value - 0.5))


def seconds(value: float) -> str:
    """Write a time in the unit that leaves a number to be read: `8 ms`, `1.2 s`, `3 min`, `2 h`."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 90:
        return f"{value:.1f}".removesuffix(".0") + " s"
    if value < 5400:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.0f} h" if value < 172_800 else f"{value / 86_400:.0f} days"
