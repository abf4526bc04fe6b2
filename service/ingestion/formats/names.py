"""Authors as documents name them."""

import re

from service.ingestion.decoding import one_line

SEPARATORS = re.compile(r"\s*(?:;|\||\n|\s&\s|\band\b|\bund\b|\bet\b)\s*", re.IGNORECASE)
COMMAS = re.compile(r"\s*,(?!\s*[JS]r\b)\s*")
CREDIT = re.compile(r"^(?:by|from|von|por|par|written by|author:?|authors:?|posted by)\s+", re.IGNORECASE)
DUTY = re.compile(r"\b(?:staff|newsroom|editorial|(?:writer|reporter|editor|correspondent|services?)$)", re.IGNORECASE)
NOBODY = frozenset(
    "admin administrator al anonymous author editor editors guest none owner root team unknown user webmaster".split()
    + "ba bsc do jd ma mba md mph ms msc phd rd rdn rn".split()  # degrees after a comma
)
AFTER = re.compile(
    r"\s+(?:published|updated|posted|january|february|march|april|may|june|july|august|september|october|november"
    r"|december)$",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"https?://|www\.|@|\.(?:com|org|net|co|io)\b| com$", re.IGNORECASE)


def names_of(line: str | None) -> list[str]:
    """Split a line of authors into names, without duties ("Staff writer"), addresses and repetitions.

    `Surname, Given` is kept as one name: a comma separates only where both sides have a blank or there are several.
    """
    names: list[str] = []
    for part in SEPARATORS.split(one_line(line)):
        for name in _at_commas(part):
            name = AFTER.sub("", CREDIT.sub("", name).strip(" ,.;:-"))
            if 2 <= len(name) <= 100 and not _is_nobody(name):
                names.append(name.title() if name.isupper() and " " in name else name)
    return [name for name in dict.fromkeys(names) if not any(_is_shorter(name, other) for other in names)]


def _is_nobody(name: str) -> bool:
    plain = name.lower().replace(".", "")
    return plain in NOBODY or bool(DUTY.search(name) or ADDRESS.search(name))


def _at_commas(part: str) -> list[str]:
    pieces = [piece for piece in COMMAS.split(part) if piece]
    return pieces if len(pieces) > 2 or all(" " in piece for piece in pieces) else [part]


def _is_shorter(name: str, other: str) -> bool:
    """Tell whether `other` is the same name with a middle initial more."""
    mine, theirs = name.lower().split(), other.lower().split()
    return len(mine) < len(theirs) and len(mine) >= 2 and (mine[0], mine[-1]) == (theirs[0], theirs[-1])
