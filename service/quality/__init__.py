"""Quality: how good a resource is, in five dimensions, each with reasons that a person can read.

Owns `quality`, `quality_history`, `quality_reviews`. Emits quality.computed, .stale, .degraded, .outlier_detected.
Listens to what changes a resource's text or metadata, its citations or its embedding.

    evidence.py      what is read about a resource and the library around it; the hash of all of it
    inputs.py        the SQL that reads it
    scores.py        a score with its reasons, the weighted mean
    accuracy.py completeness.py consistency.py timeliness.py relevance.py    one dimension each
    identifiers.py hosts.py languages.py readability.py                      what they measure by
    assessment.py    all five together
    actions.py       compute, read and correct
    monitoring.py    what got worse, what stands out
    reviews.py       what people should look at of that
    outliers.py      distances in five dimensions
    statistics.py    how the scores are spread, and how they went
"""
