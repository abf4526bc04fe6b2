"""Search: what makes a resource findable by its words and by its meaning, and the search itself.

Owns `search_documents`, `search_terms`, `search_corpora`, `search_words` (words), `chunks` and `embeddings` (meaning).
Emits search.index_updated, search.index_stale, search.executed, embedding.generated, embedding.stale. Listens to what
changes a resource's text or metadata.

    query.py        what people type -> a tree -> tsquery
    keyword.py      candidates by words, facets
    semantic.py     candidates by meaning
    fusion.py       one ranking out of two, newer texts, reasons
    terms.py        what BM25 needs, kept by the index task
    saved.py        searches that people keep
    queries.py      what people search for, and do not find
    evaluation.py   how good a ranking is
    snippets.py     the passage to show, with marks
    suggestions.py  words and titles as one types, and other spellings
    retrieval.py    a search from its query to its page
    filters.py      who may see what, and what was asked for
    inputs.py       what each derived row is made from
    labels.py       what facets count
    turns.py        one writer of a row at a time
    actions.py      writes the derived rows
"""
