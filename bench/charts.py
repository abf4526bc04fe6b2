"""Plots as SVG: one bar for each contestant, a whisker from its slowest to its fastest repeat."""

from collections.abc import Iterable
from html import escape

from bench.report import Figure

WIDTH, LABEL, VALUE, ROW = 760, 230, 130, 30

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2933; }
  .what { font-weight: 600; }
  .bar { fill: #9aa5b1; }
  .ours { fill: #0b7285; }
  .whisker { stroke: #1f2933; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb; } .bar { fill: #616e7c; } .ours { fill: #22b8cf; } .whisker { stroke: #e4e7eb; }
  }
"""


def plot(figures: Iterable[Figure]) -> str:
    """Draw the figures, those of one quantity below each other on one scale."""
    groups: dict[str, list[Figure]] = {}
    for figure in figures:
        groups.setdefault(f"{figure.what}, {figure.unit}" if figure.unit else figure.what, []).append(figure)
    drawn: list[str] = []
    y = 0
    for what, members in groups.items():
        y += ROW
        drawn.append(f'<text class="what" x="0" y="{y - 9}">{escape(what)}</text>')
        scale = (WIDTH - LABEL - VALUE) / (max(max(figure.values) for figure in members) or 1)
        for figure in members:
            drawn += _bar(figure, y, scale)
            y += ROW
        y += ROW // 3
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">\n'
        f"<style>{_STYLE}</style>\n" + "\n".join(drawn) + "\n</svg>\n"
    )


def _bar(figure: Figure, y: int, scale: float) -> list[str]:
    low, high = min(figure.values), max(figure.values)
    middle = y + ROW // 2 - 3
    kind = "bar ours" if figure.who.startswith("Pharos") else "bar"
    return [
        f'<text x="{LABEL - 10}" y="{middle + 5}" text-anchor="end">{escape(figure.who)}</text>',
        f'<rect class="{kind}" x="{LABEL}" y="{y}" width="{figure.median * scale:.1f}" height="{ROW - 8}" rx="3"/>',
        f'<path class="whisker" d="M{LABEL + low * scale:.1f} {middle}H{LABEL + high * scale:.1f}"/>',
        f'<text x="{LABEL + high * scale + 8:.1f}" y="{middle + 5}">{number(figure.median)}</text>',
    ]


def number(value: float) -> str:
    """Write a figure with three significant digits, thousands apart."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"
