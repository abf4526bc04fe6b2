"""Timeliness: how old a text is, measured by how fast its kind ages."""

from service.quality.evidence import Evidence
from service.quality.scores import UNKNOWN, Score, rounded

DAYS = 365.25
FUTURE = 0.3  # a date that cannot be right
SUPERSEDED = 0.6  # what is left where a newer version is there
COPY = 0.9  # what is left of the same text, once more

_TYPES = {"news": 0.5, "webpage": 3.0, "article": 5.0, "paper": 6.0, "document": 6.0, "note": 5.0, "book": 15.0}
_TYPE = 4.0
# Years after which half of what is cited in a field is older ("cited half-life", Journal Citation Reports), roughly.
_FIELDS = {
    2.0: "news politics security cybersecurity javascript frontend devops cloud llm",
    3.0: "computing computer software programming ai ml artificial machine technology medicine medical covid web",
    6.0: "biology chemistry engineering physics economics law education climate",
    20.0: "history mathematics philosophy literature art music religion theology geology classics",
}
_HALF_LIVES = {word: years for years, words in _FIELDS.items() for word in words.split()}


def half_life(type: str, subjects: tuple[str, ...]) -> float:
    """Return the years in which a text of this type and these subjects loses half of its timeliness."""
    words = {word for subject in subjects for word in subject.lower().split()}
    known = [_HALF_LIVES[word] for word in words if word in _HALF_LIVES]
    return min(known) if known else _TYPES.get(type.lower(), _TYPE)


def decayed(years: float, half: float) -> float:
    """Return 2^(-age/half-life), exponential decay: 1 when new, 0.5 after one half-life."""
    return 2.0 ** (-max(0.0, years) / half)


def timeliness(evidence: Evidence) -> Score:
    """Score the age by the half-life of the type or field; less where a newer version, or the same text, is there."""
    subjects = (*evidence.subjects, *evidence.tags)
    reasons: list[str] = []
    if evidence.published_at is None or evidence.month is None:
        value = UNKNOWN
        reasons.append("It has no publication date.")
    elif evidence.in_future:
        value = FUTURE
        reasons.append(f"Its publication date, {evidence.published_at:%Y-%m-%d}, lies in the future.")
    else:
        half = half_life(evidence.type, subjects)
        years = max(0.0, (evidence.month - evidence.published_at).days / DAYS)
        value = decayed(years, half)
        age = f"{years:.1f} years ago" if years >= 0.1 else "within the last weeks"
        reasons.append(f"It was published {age}; a text of its kind loses half of its timeliness in {half:g} years.")
    if evidence.superseded:
        value *= SUPERSEDED
        reasons.append("A newer version of nearly the same text is in the library.")
    if evidence.duplicate:
        value *= COPY
        reasons.append("The same text came into the library earlier.")
    return Score(rounded(value), reasons)
