"""Names in paths: lower case, letters and digits, hyphens between them."""

import re
import unicodedata
from collections.abc import Container

LONGEST = 80  # characters of a slug

_BETWEEN = re.compile(r"[^\w]+|_+")


def slug(name: str) -> str:
    """Return how a name stands in a path: without a slash, never empty; a name of signs alone by its code points."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _BETWEEN.sub("-", folded).strip("-")[:LONGEST].rstrip("-") or "-".join(
        f"{ord(sign):x}" for sign in name if not sign.isspace()
    )[:LONGEST].rstrip("-")


def unique(wanted: str, taken: Container[str]) -> str:
    """Return a slug that is not taken: the wanted one, or with the first free number from 2 on."""
    number, free = 1, wanted
    while free in taken:
        number += 1
        free = f"{wanted[: LONGEST - 1 - len(str(number))]}-{number}"
    return free
