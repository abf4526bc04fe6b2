"""All five dimensions of a resource, and how easily it is read."""

from typing import NamedTuple

from service.quality.accuracy import accuracy
from service.quality.completeness import completeness
from service.quality.consistency import consistency
from service.quality.evidence import Evidence
from service.quality.readability import Readability, readability_of
from service.quality.relevance import relevance
from service.quality.scores import Dimension, Score
from service.quality.timeliness import timeliness


class Assessment(NamedTuple):
    """What was computed."""

    scores: dict[Dimension, Score]
    readability: Readability | None


def assess(evidence: Evidence) -> Assessment:
    """Compute the five dimensions and the readability; a function of the evidence alone."""
    scores: dict[Dimension, Score] = {
        "accuracy": accuracy(evidence),
        "completeness": completeness(evidence),
        "consistency": consistency(evidence),
        "timeliness": timeliness(evidence),
        "relevance": relevance(evidence),
    }
    return Assessment(scores, readability_of(evidence.text))
