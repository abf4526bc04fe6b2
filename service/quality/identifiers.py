"""Whether what a text cites is written as such a thing is written."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from service.ingestion.identifiers import ISBN, ISBN_START, isbn13

_DOI = re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S{1,300}")  # ANSI/NISO Z39.84
_ARXIV = re.compile(r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{2}(?:0[1-9]|1[0-2])\d{3}")
_PMID = re.compile(r"[1-9]\d{0,7}")
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d{2}[a-z]?\b")
_TOP = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")  # RFC 3696, 2: a top-level domain is not all digits
SHORTEST = 20  # characters of an entry of a reference list


def is_well_formed(kind: str, value: str) -> bool:
    """Tell whether a citation of this kind could exist: its form, and its check digit where it has one."""
    match kind:
        case "doi":
            return _DOI.fullmatch(value) is not None
        case "arxiv":
            return _ARXIV.fullmatch(value) is not None
        case "isbn":
            return isbn13(value) is not None
        case "pmid":
            return _PMID.fullmatch(value) is not None
        case "url":
            return is_public_address(value)
        case _:
            return len(value) >= SHORTEST and _YEAR.search(value) is not None


def host_of(url: str) -> str:
    """Return the host of an address, lower case; empty where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_public_address(url: str) -> bool:
    """Tell whether an address names a host that everybody could reach by name."""
    name, dot, top = host_of(url).rpartition(".")
    return bool(dot and name) and _TOP.fullmatch(top) is not None and top not in ("local", "internal", "localhost")


def is_number(host: str) -> bool:
    """Tell whether a host is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def isbns(text: str) -> Iterator[bool]:
    """Yield for every ISBN of a text whether its check digit is right (ISO 2108)."""
    if "isbn" in text.lower() or ISBN_START.search(text):
        for match in ISBN.finditer(text):
            yield isbn13(match["named"] or match["bare"]) is not None
