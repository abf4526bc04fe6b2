"""Relevance: how near a resource is to what the library is about, and whether it is used."""

from service.quality.evidence import Evidence
from service.quality.scores import UNKNOWN, Score, rounded

FEWEST = 10  # resources to compare with
FEWEST_KIN = 3  # that share a subject
MANY_USES = 5
LIFT = 0.5  # how much of what is missing a much used resource is given


def relevance(evidence: Evidence) -> Score:
    """Score the cosine to the centroid of the library, or of its subjects, against what is typical there, and its use.

    What is as near as the median resource, or nearer, counts 1.
    """
    value, reason = _nearness(evidence)
    used = min(1.0, evidence.uses / MANY_USES)
    number = f"{evidence.uses} resource{'s' * (evidence.uses != 1)}"
    cites = "cites" if evidence.uses == 1 else "cite"
    use = f"{number} of the library {cites} it." if evidence.uses else "Nothing in the library cites it."
    return Score(rounded(value + (1 - value) * LIFT * used), [reason, use])


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
