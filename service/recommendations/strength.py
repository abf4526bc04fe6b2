"""How much an interaction says about what somebody wants to read: 0 nothing, 1 as much as can be."""

from typing import Final

from service.recommendations.events import InteractionType

VIEW: Final = 0.1  # and more the longer it lasts:
DWELL: Final = 1000  # seconds for 1, of which
LONGEST: Final = 0.3  # is the most that counts
LOWEST_RATING: Final = 0.2
STAR: Final = 0.2  # each further one

FIXED: Final[dict[InteractionType, float]] = {
    "annotation": 0.7,
    "collection_add": 0.8,
    "export": 0.9,
    "download": 0.6,
}


def strength(interaction_type: InteractionType, rating: int | None = None, dwell_seconds: float | None = None) -> float:
    """Return the strength of an interaction; `rating` is 1 to 5, `dwell_seconds` not negative."""
    if interaction_type == "view":
        return VIEW + min(LONGEST, (dwell_seconds or 0.0) / DWELL)
    if interaction_type == "rating":
        assert rating is not None
        return LOWEST_RATING + (rating - 1) * STAR
    return FIXED[interaction_type]
