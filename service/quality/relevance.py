"""Relevance: how near a resource is to what the library is about, and whether it is used."""

from service.quality.evidence import Evidence
from service.quality.scores import UNKNOWN, Score, rounded

FEWEST = 10  # resources to compare with
FEWEST_KIN = 3  # that share a subject
MANY_USES = 5
MANY_READERS = 5
LIFT = 0.5  # how much of what is missing a much used resource is given


def relevance(evidence: Evidence) -> Score:
    """Score the cosine to the centroid of the library, or of its subjects, against what is typical there, and its use.

    What is as near as the median resource, or nearer, counts 1.
    """
    value, reason = _nearness(evidence)
    cited, read = min(1.0, evidence.uses / MANY_USES), min(1.0, evidence.readers / MANY_READERS)
    lifted = value + (1 - value) * LIFT * max(cited, read)
    return Score(rounded(lifted), [reason, _citing(evidence.uses), _reading(evidence.readers)])


def _citing(uses: int) -> str:
    if not uses:
        return "Nothing in the library cites it."
    return f"{uses} resource{'s' * (uses != 1)} of the library {'cites' if uses == 1 else 'cite'} it."


def _reading(readers: int) -> str:
    if not readers:
        return "Nobody but its owner has used it lately."
    number = f"{readers}{' or more' * (readers >= MANY_READERS)} {'person' if readers == 1 else 'people'}"
    return f"{number} besides its owner used it lately."


def _nearness(evidence: Evidence) -> tuple[float, str]:
    around = evidence.around
    if around.size < FEWEST:
        return UNKNOWN, f"The library is too small to compare with: it has fewer than {FEWEST} other shared resources."
    if around.near is None or around.typical is None:
        return UNKNOWN, "Its meaning is not known yet, so that it cannot be compared with the library."
    typical = max(around.typical, 0.05)
    value = min(1.0, max(0.0, around.near) / typical)
    reason = f"It is {around.near:.2f} near to the centre of {around.size} resources; {around.typical:.2f} is typical."
    if around.kin >= FEWEST_KIN and around.near_kin is not None:
        of_subjects = min(1.0, max(0.0, around.near_kin) / typical)
        if of_subjects > value:
            return of_subjects, f"It is {around.near_kin:.2f} near to the {around.kin} resources of its subjects."
    return value, reason
