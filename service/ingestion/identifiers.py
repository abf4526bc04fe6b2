"""What a text refers to: DOI, arXiv, ISBN, PMID, web addresses, the entries of its reference list. Pure functions."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from service.ingestion.canonical import canonical_url
from service.ingestion.extracted import Citation
from service.ingestion.references import split_references

MOST = 5000
LONGEST_OWN = 500  # characters of what a page calls itself by
NAMED = {"arxiv": "arXiv:", "isbn": "ISBN ", "pmid": "PMID: "}  # how a bare one is written in a text

# The registrant code and anything after the slash (ANSI/NISO Z39.84); where it ends, only punctuation tells.
DOI = re.compile(r"(?<![\d.])10\.\d{4,9}(?:\.\d+)*/[^\s\"“”{}|\\^`\[\]?&#]+")
ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(.+)", re.IGNORECASE)
# https://info.arxiv.org/help/arxiv_identifier.html: YYMM.number since April 2007, archive/YYMMNNN before
ARXIV = re.compile(
    r"(?:\barxiv\s?(?:preprint\s)?(?:arxiv\s?)?[:\s]\s?|arxiv\.org/(?:abs|pdf|html)/)"
    r"(?P<new>\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(?:v\d+)?\b"
    r"|(?:\barxiv:\s?|arxiv\.org/(?:abs|pdf)/|\b)"
    r"(?P<archive>acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs"
    r"|dg-ga|funct-an|gr-qc|hep-(?:ex|lat|ph|th)|math|math-ph|mtrl-th|nlin|nucl-(?:ex|th)|patt-sol|physics|plasm-ph|q-alg"
    r"|q-bio|quant-ph|solv-int|supr-con)(?:\.[A-Z]{2})?/(?P<old>\d{2}(?:0[1-9]|1[0-2])\d{3})(?:v\d+)?\b",
    re.IGNORECASE,
)
OLD_ARXIV_END = re.compile(r"/\d{7}")
ISBN_START = re.compile(r"97[89][-–]")
ISBN = re.compile(
    r"\bISBN(?:-?1[03])?(?:\s*\([^)]{1,30}\))?:?\s*(?P<named>(?:97[89][-–\s]?)?\d(?:[-–\s]?\d){8}[-–\s]?[\dXx])\b"
    r"|(?<![\d-])(?P<bare>97[89][-–]\d{1,5}[-–]\d{1,7}[-–]\d{1,7}[-–]\d)(?![\d-])"
)
PMID = re.compile(
    r"\bPMID:?\s?(?P<named>[1-9]\d{0,7})\b|(?:pubmed\.ncbi\.nlm\.nih\.gov|ncbi\.nlm\.nih\.gov/pubmed)/(?P<url>[1-9]\d{0,7})\b"
)
URL = re.compile(r"\bhttps?://[^\s<>\"“”{}|\\^`\[\]]{3,2000}", re.IGNORECASE)
IDENTIFIER_SITES = re.compile(
    r"^https?://(?:dx\.)?doi\.org/10\.|^https?://(?:www\.)?arxiv\.org/(?:abs|pdf|html)/"
    r"|^https?://pubmed\.ncbi\.nlm\.nih\.gov/\d|^https?://www\.ncbi\.nlm\.nih\.gov/pubmed/\d",
    re.IGNORECASE,
)
PAIRS = {")": "(", ">": "<", "}": "{", "]": "["}


def citations_of(text: str, links: Iterable[tuple[str, str]] = ()) -> list[Citation]:
    """Return what a text and its links (URL, words) refer to, once each, in reading order.

    An entry of the reference list counts as the identifiers in it, with the entry as text, or as itself.
    """
    body, entries = split_references(text)
    found: dict[tuple[str, str], Citation] = {}
    for citation in _identifiers(body):
        found.setdefault((citation.kind, citation.value), citation)
    for url, words in links:
        for citation in _identifiers(url):
            found.setdefault((citation.kind, citation.value), replace(citation, text=words or url))
    for entry in entries:
        within = list(_identifiers(entry)) or [Citation("reference", entry, entry)]
        for citation in within:
            found[citation.kind, citation.value] = replace(citation, text=entry)
    return list(found.values())[:MOST]


def own_identifier(kind: str, content: str) -> str | None:
    """Return what a page calls itself by, as `doi:10.1000/182`; None where that is no identifier of a work.

    `kind` says what it should be; without one, as in `dc.identifier`, whatever identifier it is.
    """
    content = content.strip()[:LONGEST_OWN]
    for written in (content, f"{NAMED.get(kind, '')}{content}"):
        for found in _identifiers(written):
            if found.kind in ("doi", "arxiv", "isbn", "pmid") and kind in ("", found.kind):
                return f"{found.kind}:{found.value}"
    return None


def registered(identifiers: Iterable[str], addresses: Iterable[str | None]) -> str | None:
    """Return the DOI, else the arXiv identifier, that a work gives itself, or that stands in one of its addresses."""
    named = [f"{one.kind}:{one.value}" for address in addresses if address for one in _identifiers(address)]
    found = [*identifiers, *named]
    return next((one for kind in ("doi:", "arxiv:") for one in found if one.startswith(kind)), None)


def _identifiers(text: str) -> Iterator[Citation]:
    lower = text.lower()
    located = [*_dois(text), *_urls(text)]  # the other patterns are slow: a plain search tells whether they can match
    if "arxiv" in lower or OLD_ARXIV_END.search(text):
        located += _arxiv(text)
    if "isbn" in lower or ISBN_START.search(text):
        located += _isbns(text)
    if "pmid" in lower or "pubmed" in lower:
        located += _pmids(text)
    located.sort(key=lambda pair: pair[0])
    return (citation for _, citation in located)


def _dois(text: str) -> Iterator[tuple[int, Citation]]:
    for match in DOI.finditer(text):
        doi = trimmed(match.group())
        if doi.endswith("/"):
            continue
        arxiv = ARXIV_DOI.fullmatch(doi)
        kind, value = ("arxiv", re.sub(r"v\d+$", "", arxiv.group(1))) if arxiv else ("doi", doi.lower())
        yield match.start(), Citation(kind, value, doi)


def _arxiv(text: str) -> Iterator[tuple[int, Citation]]:
    for match in ARXIV.finditer(text):
        value = match["new"] or f"{match['archive'].lower()}/{match['old']}"
        yield match.start(), Citation("arxiv", value, match.group())


def _isbns(text: str) -> Iterator[tuple[int, Citation]]:
    for match in ISBN.finditer(text):
        if value := isbn13(match["named"] or match["bare"]):
            yield match.start(), Citation("isbn", value, match.group())


def _pmids(text: str) -> Iterator[tuple[int, Citation]]:
    for match in PMID.finditer(text):
        yield match.start(), Citation("pmid", match["named"] or match["url"], match.group())


def _urls(text: str) -> Iterator[tuple[int, Citation]]:
    for match in URL.finditer(text):
        url = trimmed(match.group())
        if not IDENTIFIER_SITES.match(url):
            yield match.start(), Citation("url", canonical_url(url), url)


def isbn13(text: str) -> str | None:
    """Return 13 digits for a valid ISBN-10 or ISBN-13 (ISO 2108), or None when the check digit is wrong."""
    digits = re.sub(r"[-–\s]", "", text).upper()
    if len(digits) == 10 and digits[:9].isdecimal():
        total = sum((10 - place) * int(digit) for place, digit in enumerate(digits[:9]))
        if digits[9] != "0123456789X"[-total % 11]:
            return None
        return f"978{digits[:9]}{_ean_check(f'978{digits[:9]}')}"
    if len(digits) == 13 and digits.isdecimal() and digits[12] == _ean_check(digits[:12]):
        return digits
    return None


def _ean_check(digits: str) -> str:
    return str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10)


def trimmed(found: str) -> str:
    """Cut the punctuation of the sentence from the end of an identifier; closing brackets stay if they were opened."""
    end, counts = len(found), Counter(found)
    while end:
        last = found[end - 1]
        if last not in ".,;:!?'’»*…" and (last not in PAIRS or counts[last] <= counts[PAIRS[last]]):
            break
        counts[last] -= 1
        end -= 1
    return found[:end]
