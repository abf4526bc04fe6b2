"""Accuracy: what a text rests on, and where it comes from."""

from service.ingestion.identifiers import citations_of
from service.quality.evidence import CITATIONS, Cited, Evidence
from service.quality.hosts import credibility
from service.quality.identifiers import host_of, is_well_formed, isbns
from service.quality.scores import UNKNOWN, Part, Score, blended


def accuracy(evidence: Evidence) -> Score:
    """Score the citations, the check digits of ISBNs, and the host of the source."""
    return blended([*_citations(evidence), *_isbns(evidence), _host(evidence)], "")


def _citations(evidence: Evidence) -> list[Part]:
    known = evidence.citations or [Cited(one.kind, one.value, False) for one in citations_of(evidence.text)[:CITATIONS]]
    others = [one for one in known if not _is_itself(one, evidence)]
    parts: list[Part] = []
    if others:
        held = sum(one.resolved for one in others)
        wrong = [one for one in others if not one.resolved and not is_well_formed(one.kind, one.value)]
        share = 1 - len(wrong) / len(others)
        reason = f"{len(others) - len(wrong)} of {len(others)} citations are in the library ({held}) or well formed."
        if wrong:
            reason += f" The first that is not: {wrong[0].value[:80]}"
        parts.append(Part(share, 0.5, reason))
    else:
        parts.append(Part(UNKNOWN, 0.3, "It cites nothing that could be checked."))
    if len(others) < len(known):
        parts.append(Part(UNKNOWN, 0.1, "It cites itself, which supports nothing."))
    return parts


def _is_itself(cited: Cited, evidence: Evidence) -> bool:
    own = [address.lower() for address in (evidence.url, evidence.canonical_url) if address]
    value = cited.value.lower()
    if cited.kind == "url":
        return value in own
    return cited.kind in ("doi", "arxiv", "pmid") and any(address.endswith(f"/{value}") for address in own)


def _isbns(evidence: Evidence) -> list[Part]:
    found = list(isbns(evidence.text))
    if not found:
        return []
    right = sum(found)
    return [Part(right / len(found), 0.2, f"{right} of {len(found)} ISBNs have the right check digit.")]


def _host(evidence: Evidence) -> Part:
    if not evidence.url:
        return Part(UNKNOWN, 0.4, "It names no source.")
    value, kind = credibility(evidence.url)
    host = host_of(evidence.url)
    return Part(value, 0.4, f"Its source is {kind}{f' ({host[:100]})' if host else ''}.")
