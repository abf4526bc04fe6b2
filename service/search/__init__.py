"""Search: what makes a resource findable by its words and by its meaning, and the search itself.

Owns `search_documents` (words), `chunks` and `embeddings` (meaning). Emits search.index_updated, search.index_stale,
search.executed, embedding.generated, embedding.stale. Listens, through THE TABLE, to what changes a resource's text or metadata.
"""
