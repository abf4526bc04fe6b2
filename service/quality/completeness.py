"""Completeness: which of its metadata are there, and how much text."""

from service.quality.evidence import Evidence
from service.quality.scores import Part, Score, blended

ENOUGH = 300  # words


def completeness(evidence: Evidence) -> Score:
    """Score the metadata that are present, and the length of the text."""
    fields = {
        "a title of its own": (bool(evidence.title.strip()) and evidence.title != evidence.url, 0.15),
        "authors": (evidence.authors > 0, 0.15),
        "a publication date": (evidence.published_at is not None, 0.15),
        "a description": (bool(evidence.description.strip()), 0.1),
        "subjects or tags": (bool(evidence.subjects or evidence.tags), 0.1),
        "an address": (bool(evidence.url), 0.1),
        "a language": (bool(evidence.language), 0.05),
    }
    present = sum(weight for there, weight in fields.values() if there)
    whole = sum(weight for _, weight in fields.values())
    missing = [name for name, (there, _) in fields.items() if not there]
    said = f"It lacks {' and '.join(filter(None, [', '.join(missing[:-1]), missing[-1]]))}." if missing else ""
    words = evidence.word_count
    length = f"Its text has {words:,} word{'s' * (words != 1)}; {ENOUGH} count as complete."
    return blended(
        [
            Part(present / whole, whole, said or "All of its metadata are there."),
            Part(min(1.0, words / ENOUGH), 1 - whole, length if words < ENOUGH else f"Its text has {words:,} words."),
        ],
        "",
    )
