"""Authors: who wrote what, under whatever spelling.

Owns `authors`, `author_variants`, `author_links`, `author_distinctions`, `author_readings`. Emits authors.normalized,
.merged, .split, .stale. Listens to authors.extracted, resource.created, resource.metadata_changed, authors.stale: each
has the names of a resource read again.

    names.py            reading names (vocabulary.py has the words)
    matching.py         which known author a name means
    normalization.py    the names of a resource become links to authors
    actions.py          what people see of authors, and decide by hand
"""
