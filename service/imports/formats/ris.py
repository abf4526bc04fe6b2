"""RIS: records from `TY  -` to `ER  -`, each read by rispy."""

import re
from collections.abc import Iterator
from typing import Any

import rispy

from service.imports.entry import Found, Problem, flat
from service.imports.references import dated, entry_of
from service.imports.vocabulary import RIS_FIELDS, RIS_TYPES
from service.ingestion.decoding import decode

_TAGS = {tag: tag for tag in rispy.TAG_KEY_MAPPING} | {"ED": "ED", "KW": "KW", "UK": "UK"}
_MANY = ["A1", "A2", "A3", "A4", "AU", "ED", "KW", "UR", "N1"]
_START = re.compile(r"TY {1,2}- ?(.*)")
_END = re.compile(r"ER {1,2}-")
LONGEST = 5000  # lines of a record


class _Parser(rispy.RisParser):
    """Names fields by their tags, and takes tags in which the blanks are not two."""

    def parse_line(self, line: str) -> tuple[str, str] | tuple[None, str]:
        found = re.match(r"([A-Z][A-Z0-9]) {1,2}- ?(.*)", line)
        return (found[1], found[2].strip()) if found else (None, line.strip())


def read(body: bytes) -> Iterator[Found]:
    """Yield the records of a file; one that does not end is read as far as it goes."""
    begun: int | None = None
    lines: list[str] = []
    text = decode(body).replace("\r\n", "\n").replace("\r", "\n")
    for number, line in enumerate(text.split("\n"), 1):
        if _START.match(line):
            if begun is not None:
                yield from _record(begun, lines)
            begun, lines = number, [line]
        elif begun is not None and _END.match(line):
            yield from _record(begun, lines)
            begun = None
        elif begun is not None:
            lines.append(line)
            if len(lines) == LONGEST + 1:
                yield Problem(begun, f"The record has more than {LONGEST} lines; the rest of it is left out.")
        elif line.strip():
            yield Problem(number, "The line belongs to no record.", line[:80])
    if begun is not None:
        yield from _record(begun, lines)


def _record(begun: int, lines: list[str]) -> Iterator[Found]:
    text = "\n".join([*lines[:LONGEST], "ER  - "])
    try:
        [record] = rispy.loads(
            text, implementation=_Parser, mapping=_TAGS, list_tags=_MANY, delimiter_tags_mapping={}, newline="\n"
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield Problem(begun, f"The record cannot be read: {error!r}.", lines[0][:80])
        return
    yield entry_of(begun, _csl(record), [flat(one) for one in record.get("KW", [])])


def _csl(record: dict[str, Any]) -> dict[str, Any]:
    def first(*tags: str) -> str:
        values = (record.get(tag) for tag in tags)
        return next((flat(one[0] if isinstance(one, list) else one) for one in values if one), "")

    csl: dict[str, Any] = {name: value for tag, name in RIS_FIELDS.items() if (value := first(tag))}
    csl["type"] = RIS_TYPES.get(first("TY").upper(), "document")
    csl["title"] = first("TI", "T1", "CT")
    csl["container-title"] = first("T2", "JO", "JF", "JA", "BT")
    csl["abstract"] = first("AB", "N2")
    csl["author"] = [_person(one) for tag in ("AU", "A1") for one in record.get(tag, [])]
    csl["editor"] = [_person(one) for tag in ("ED", "A2") for one in record.get(tag, [])]
    csl["issued"] = dated(first("DA", "PY", "Y1"))
    start, end = first("SP"), first("EP")
    csl["page"] = f"{start}-{end}" if start and end and "-" not in start else start or end
    number = first("SN")
    csl["ISBN" if csl["type"] in ("book", "chapter") else "ISSN"] = number
    return csl


def _person(text: str) -> dict[str, str]:
    """Read `Family, Given, Suffix`; a name without a comma is taken as a whole."""
    parts = [flat(part) for part in text.split(",", 2)]
    if len(parts) == 1:
        return {"literal": parts[0]}
    person = dict(zip(("family", "given", "suffix"), parts, strict=False))
    return {key: value for key, value in person.items() if value}
