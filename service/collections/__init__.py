"""Collections: resources that people put together, nested, and each with a mean of their meaning.

Owns `collections`, `collection_resources` (who is in which) and `collection_embeddings` (derived). Emits
collection.created, .updated, .deleted, .resource_added, .resource_removed, .embedding_updated, .stale. Listens to what
changes the members of a collection, or their embeddings.

    concerned.py    which collections a change of a resource concerns; asked by the slices that tell of such changes
    placing.py      where in the tree a collection may be
    centre.py       the mean embedding, and whether it is the present one
    nearness.py     other collections like one, resources that would fit into it
"""
