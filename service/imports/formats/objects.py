"""JSON read element by element, so that what stands before a break is read, and each element knows its line."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.imports.entry import Problem

_BLANK = re.compile(r"[\s,]*")
_SCANNER = json.JSONDecoder(parse_constant=lambda _: None)


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a list, and the line that it begins on."""

    line: int
    value: Any


def elements(text: str, start: int) -> Iterator[Element | Problem]:
    """Yield the elements of the list whose first element is at `start` or after it; the last word may be a problem."""
    line, counted, position = 1, 0, start
    while True:
        position = _blank(text, position)
        line, counted = line + text.count("\n", counted, position), position
        if position >= len(text):
            yield Problem(line, "The file is cut off here: the list does not end.")
            return
        if text[position] == "]":
            return
        try:
            value, position = _SCANNER.raw_decode(text, position)
        except RecursionError:
            yield Problem(line, "It is nested too deeply.", text[position : position + 80])
            return
        except ValueError as error:
            yield Problem(line, f"It is not valid JSON from here on: {error}.", text[position : position + 80])
            return
        yield Element(line, value)


def list_after(text: str, name: str, start: int = 0) -> int | None:
    """Return where the first element of the list of that name begins; None where there is no such list."""
    found = re.compile(rf'"{re.escape(name)}"\s*:\s*\[').search(text, start)
    return None if found is None else found.end()


def outermost(text: str) -> int | None:
    """Return where the first element of a file that is a list begins; None where it is none."""
    start = _blank(text, 0)
    return start + 1 if text[start : start + 1] == "[" else None


def _blank(text: str, position: int) -> int:
    found = _BLANK.match(text, position)
    return position if found is None else found.end()


def words(value: Any) -> str:
    """Return a text; nothing for anything else but numbers."""
    return value if isinstance(value, str) else str(value) if isinstance(value, int | float) else ""


def listed(value: Any) -> list[Any]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def names(value: Any) -> list[str]:
    """Return the texts of a list, or the names and labels of the objects in it."""
    found = [one.get("name") or one.get("label") if isinstance(one, dict) else one for one in listed(value)]
    return [one for one in map(words, found) if one]
