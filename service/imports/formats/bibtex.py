"""BibTeX and biblatex, split by bibtexparser; LaTeX in values is made text by pylatexenc."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names
from bibtexparser.model import DuplicateBlockKeyBlock, DuplicateFieldKeyBlock, Entry, ParsingFailedBlock, String
from bibtexparser.splitter import Splitter
from pylatexenc.latex2text import LatexNodes2Text

from service.imports.entry import Found, Problem, flat
from service.imports.references import dated, entry_of
from service.imports.vocabulary import BIBTEX_ALSO, BIBTEX_FIELDS, BIBTEX_TYPES
from service.ingestion.decoding import decode

logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

MONTHS: dict[str, int] = dict(zip("jan feb mar apr may jun jul aug sep oct nov dec".split(), range(1, 13), strict=True))
LONGEST = 200_000  # characters of a value
VERBATIM = ("url", "doi", "file")
_TEXT = LatexNodes2Text(math_mode="verbatim", strict_latex_spaces=True, keep_braced_groups=False)
_BARE_PERCENT = re.compile(r"(?<!\\)%")
# What stands for itself; pylatexenc has look-alikes for two of them.
_CHARACTERS = {r"\textbackslash": "\ue000", r"\textasciitilde": "\ue001", r"\textasciicircum": "\ue002"}
_RESTORED = {0xE000: "\\", 0xE001: "~", 0xE002: "^"}
_BRACES = re.compile(r"(?<!\\)[{}]")


def read(body: bytes) -> Iterator[Found]:
    """Yield the entries of a file, those with a key that came before included; strings are put in."""
    blocks = Splitter(decode(body)).split().blocks
    strings = {name: f"{{{number}}}" for name, number in MONTHS.items()}
    for block in blocks:
        line = (block.start_line or 0) + 1
        match block:
            case String():
                strings[block.key.casefold()] = f"{{{_joined(str(block.value), strings)}}}"
            case Entry():
                yield _guarded(line, block, strings)
            case DuplicateBlockKeyBlock() if isinstance(block.ignore_error_block, Entry):
                yield _guarded(line, block.ignore_error_block, strings)
            case DuplicateFieldKeyBlock() if isinstance(block.ignore_error_block, Entry):
                yield _guarded(line, block.ignore_error_block, strings)
                twice = ", ".join(sorted(block.duplicate_keys))
                yield Problem(line, f"A field stands there twice, and its first value is taken: {twice}.")
            case ParsingFailedBlock():
                reason = flat(str(getattr(block.error, "abort_reason", block.error)))[:300].rstrip(".")
                yield Problem(line, f"It cannot be read: {reason}.", (block.raw or "")[:80])
            case _:
                pass


def _guarded(line: int, entry: Entry, strings: dict[str, str]) -> Found:
    try:
        return _entry(line, entry, strings)
    except RecursionError:
        return Problem(line, "It is nested too deeply.", entry.key[:80])


def _entry(line: int, entry: Entry, strings: dict[str, str]) -> Found:
    raw: dict[str, str] = {}
    for field in entry.fields:
        raw.setdefault(field.key.casefold(), _joined(str(field.value)[:LONGEST], strings))
    values = {name: flat(value) if name in VERBATIM else unlatex(value) for name, value in raw.items()}
    kind = entry.entry_type.casefold()
    csl: dict[str, Any] = {"type": BIBTEX_TYPES.get(kind, "document"), "citation-key": entry.key}
    for name, target in (*BIBTEX_FIELDS.items(), *BIBTEX_ALSO.items()):
        if values.get(name):
            csl.setdefault(target, values[name])
    if kind == "mastersthesis":
        csl.setdefault("genre", "Master's thesis")
    if values.get("number"):
        csl["number" if csl["type"] in ("report", "patent") else "issue"] = values["number"]
    if values.get("pages"):
        csl["page"] = re.sub(r"\s*(?:-{2,}|–|—)\s*", "-", values["pages"])
    for role in ("author", "editor"):
        if raw.get(role):
            csl[role] = [_person(one) for one in split_multiple_persons_names(raw[role])]
    csl["issued"] = dated(values.get("date", "")) or _issued(values)
    if values.get("eprint") and re.fullmatch(r"arxiv", values.get("archiveprefix", values.get("eprinttype", "")), re.I):
        csl.setdefault("URL", f"https://arxiv.org/abs/{values['eprint']}")
    keywords = raw.get("keywords") or raw.get("keyword") or ""
    separator = ";" if len(_split(keywords, ";")) > 1 else ","
    return entry_of(line, csl, [unlatex(one) for one in _split(keywords, separator)])


def _split(text: str, separator: str) -> list[str]:
    """Split where no braces are open."""
    parts, depth = [""], 0
    for place, char in enumerate(text):
        if char in "{}" and text[place - 1 : place] != "\\":
            depth += 1 if char == "{" else -1
        if char == separator and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _joined(value: str, strings: dict[str, str]) -> str:
    """Take off the outer braces or quotes, put in strings, and join what `#` joins."""
    parts = _split(value, "#") if "#" in value and not _enclosed(value) else [value]
    return "".join(_opened(part.strip(), strings) for part in parts)


def _enclosed(value: str) -> bool:
    """Tell whether the first brace is closed by the last one."""
    if len(value) < 2 or value[0] + value[-1] not in ('""', "{}"):
        return False
    if value[0] == '"':
        return '"' not in _BRACES.sub("", value[1:-1])
    depth = 0
    for place, char in enumerate(value):
        if char in "{}" and value[place - 1 : place] != "\\":
            depth += 1 if char == "{" else -1
            if depth == 0:
                return place == len(value) - 1
    return False


def _opened(part: str, strings: dict[str, str]) -> str:
    if _enclosed(part):
        return part[1:-1]
    known = strings.get(part.casefold())
    return part if known is None else known[1:-1]


def unlatex(value: str) -> str:
    """Return what LaTeX shows, on one line."""
    if "\\" in value or "$" in value:
        for command, place in _CHARACTERS.items():
            value = value.replace(f"{command}{{}}", place)
        value = str(_TEXT.latex_to_text(_BARE_PERCENT.sub(r"\\%", value))).translate(_RESTORED)
    else:
        value = _BRACES.sub("", value).replace("~", " ")
    return flat(value)


def _person(text: str) -> dict[str, str]:
    if _enclosed(text.strip()):
        return {"literal": unlatex(text.strip()[1:-1])}
    parts = parse_single_name_into_parts(text, strict=False)
    said = {
        "family": parts.last,
        "given": parts.first,
        "non-dropping-particle": parts.von,
        "suffix": parts.jr,
    }
    person = {name: unlatex(" ".join(words)) for name, words in said.items() if words}
    return person if "family" in person else {"literal": unlatex(text)}


def _issued(values: dict[str, str]) -> dict[str, Any] | None:
    year = values.get("year", "")
    if not re.fullmatch(r"\d{4}", year):
        return dated(year)
    parts = [int(year)]
    said = str(values.get("month", "")).casefold()
    month = int(said) if said.isascii() and said.isdigit() else MONTHS.get(said[:3])
    if month and month <= 12:
        parts.append(month)
        day = values.get("day", "")
        if day.isascii() and day.isdigit() and 1 <= int(day) <= 31:
            parts.append(int(day))
    return {"date-parts": [parts]}
