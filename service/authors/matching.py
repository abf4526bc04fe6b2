"""Which known author a name means. Pure functions.

The same last name and first initial make a candidate, never more: it takes a second sign (the same identifier, a shared
co-author, a shared subject), or the whole name written out and known of one author only. What remains in doubt is an
author of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from service.authors.names import Name, compatible


@dataclass(slots=True)
class Candidate:
    """A known author with a name of the same key: its names, and what speaks for it."""

    id: UUID
    names: list[Name] = field(default_factory=list[Name])
    orcids: set[str] = field(default_factory=set[str])
    coauthors: int = 0  # in common with the resource
    subjects: int = 0

    @property
    def signs(self) -> tuple[int, int, int]:
        """What speaks for it: kinds of signs, then how many."""
        return (self.coauthors > 0) + (self.subjects > 0), self.coauthors, self.subjects


def may_be(name: Name, candidate: Candidate) -> bool:
    """Tell whether nothing speaks against it: every name of the candidate fits, and no identifier differs."""
    if name.orcid and candidate.orcids and name.orcid not in candidate.orcids:
        return False
    return bool(candidate.names) and all(compatible(name, other) for other in candidate.names)


def choose(name: Name, candidates: Sequence[Candidate]) -> tuple[UUID, str] | None:
    """Return the author that a name means, and on what basis; None where that is in doubt.

    The basis is `identifier`, `coauthor`, `subject` or `name`.
    """
    if name.orcid and (same := [one for one in candidates if name.orcid in one.orcids]):
        return min(one.id for one in same), "identifier"
    fitting = [one for one in candidates if may_be(name, one)]
    same = [one for one in fitting if any(other.heading == name.heading for other in one.names)]
    signed = [one for one in fitting if one.signs > (0, 0, 0)]
    for among in ([one for one in signed if one in same], signed):
        best = sorted(among, key=lambda one: (one.signs, one.id), reverse=True)
        if best and (len(best) == 1 or best[0].signs > best[1].signs):
            return best[0].id, "coauthor" if best[0].coauthors else "subject"
    if name.is_full and len(same) == 1 and not signed:
        return same[0].id, "name"
    return None
