"""The names by which a citation and an item are recognised as the same work. Pure functions.

A key is `kind:value`: `doi:10.1000/182`, `arxiv:1706.03762`, `url:example.org/a`, `title:attention is all you need`.
A citation means an item where they have a key in common.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from service.ingestion.canonical import canonical_url
from service.ingestion.identifiers import citations_of

HEAD = 3000  # characters of a document in which its own identifier stands
LONGEST = 200  # bytes of a key as it is; longer ones are hashed
LEAST_CHARACTERS, LEAST_WORDS = 20, 3  # of a title that means one work: "Introduction" does not
MOST = 8  # titles that one entry may have

QUOTED = re.compile(r"[“\"„«]([^“”\"„«»]{15,400})[”\"“»]")
DATED = re.compile(
    r"(?:\((?:1[5-9]|20)\d{2}[a-z]?(?:,[^)]{1,30})?\)|(?<=[.,] )(?:1[5-9]|20)\d{2}[a-z]?(?=\.))[.,:]?\s+"
)
SENTENCES = re.compile(r"(?<=[^\W\d_]{2})[.?!]\s+|(?<=\d)[.]\s+|[\"”]\s+")
SITE = re.compile(r"\s+(?:\||[-–—·»])\s+[^|]{2,40}$")
BRACKETED = re.compile(r"^\s*\[[^\]]{1,30}\]\s*")
NUMERAL = re.compile(r"\d+|\b(?:[ivx]+)\b")


@dataclass(frozen=True, slots=True)
class Keys:
    """What something is recognised by; `title`, folded, also by what is very like it."""

    keys: list[str]
    title: str | None = None


def key(kind: str, value: str) -> str:
    """Return a key that an index can hold."""
    value = " ".join(value.split())
    plain = f"{kind}:{value}"
    return plain if len(plain.encode()) <= LONGEST else f"{kind}#{sha256(value.encode()).hexdigest()[:40]}"


def folded(text: str) -> str:
    """Return the words of a text without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else "" if unicodedata.combining(c) or c in "'’" else " " for c in plain)
    return " ".join(kept.split())


def of_citation(kind: str, value: str) -> Keys:
    """Return the keys of a citation as ingestion records it."""
    if kind == "reference":
        titles = list(dict.fromkeys(filter(telling, map(folded, _titles(value)))))[:MOST]
        return Keys([key("title", title) for title in titles], titles[0][:500] if titles else None)
    if kind == "url":
        return Keys(list(dict.fromkeys(_of_address(value))))
    return Keys([key(kind, value)])


def of_item(
    title: str,
    urls: Iterable[str | None],
    type: str = "webpage",
    head: str = "",
    subjects: Iterable[str] = (),
    identifiers: Iterable[str] = (),
) -> Keys:
    """Return the keys of an item: of its addresses, its title, its own identifiers, its subjects.

    A page says its own; a document's is the only one of its kind in the first `HEAD` characters; a book's are all ISBNs
    there.
    """
    keys = [one for url in urls if url for one in _of_address(url)]
    keys += [key(kind, value) for kind, _, value in (one.partition(":") for one in identifiers)]
    if type in ("document", "book"):
        found = [(one.kind, one.value) for one in citations_of(head[:HEAD])]
        for kind in ("doi", "arxiv"):
            own = [value for other, value in found if other == kind]
            keys += [key(kind, own[0])] if len(own) == 1 else []
        keys += [key(kind, value) for kind, value in found if kind == "isbn" and type == "book"]
    plain = folded(BRACKETED.sub("", title))
    titles = [one for one in (plain, folded(SITE.sub("", BRACKETED.sub("", title)))) if telling(one)]
    keys += [key("title", one) for one in titles]
    keys += [key("subject", plain) for subject in subjects if (plain := folded(subject))]
    return Keys(list(dict.fromkeys(keys)), titles[-1][:500] if titles else None)


def telling(title: str) -> bool:
    """Tell whether a folded title is long enough to mean one work."""
    return len(title) >= LEAST_CHARACTERS and title.count(" ") >= LEAST_WORDS - 1


def same_numbers(one: str, other: str) -> bool:
    """Tell whether two folded titles have the same numbers: "part i" is not "part ii", however like they are."""
    return NUMERAL.findall(one) == NUMERAL.findall(other)


def _of_address(url: str) -> Iterator[str]:
    canonical = canonical_url(url)
    yield key("url", canonical.partition("://")[2] or canonical)
    for found in citations_of(url):
        if found.kind != "url":
            yield key(found.kind, found.value)


def _titles(entry: str) -> Iterator[str]:
    """Yield what may be the title in an entry, likeliest first: what is quoted, what follows the year, any sentence."""
    if quoted := QUOTED.findall(entry):
        yield from (one.rstrip(" ,.") for one in quoted)
        return
    for dated in DATED.finditer(entry):
        yield SENTENCES.split(entry[dated.end() :], maxsplit=1)[0]
    if not DATED.search(entry):
        yield from SENTENCES.split(entry)[1:]
