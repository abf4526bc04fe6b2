"""CSV that a spreadsheet shows and never runs, and its texts as they were."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")


def line(values: Iterable[object]) -> str:
    """Return one line, RFC 4180; a text that a spreadsheet would compute is led by an apostrophe.

    OWASP, "CSV Injection". Lists are joined by `; `, times are ISO 8601, nothing is an empty cell.
    """
    out = io.StringIO()
    csv.writer(out).writerow([cell(value) for value in values])
    return out.getvalue()


def cell(value: object) -> str:
    """Return a value as the text of one cell."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)  # a negative number is one
        case datetime():
            return value.isoformat()
        case str():
            return _inert(value)
        case Sequence():
            return _inert("; ".join(map(str, value)))
        case _:
            return _inert(str(value))


def _inert(text: str) -> str:
    return f"'{text}" if _computed(text) else text


def _computed(text: str) -> bool:
    return text.lstrip("' \u00a0").startswith(FORMULA)


def as_it_was(cell: str) -> str:
    """Return the text of a cell without the apostrophe that `line` put before it."""
    return cell[1:] if cell.startswith("'") and _computed(cell) else cell
