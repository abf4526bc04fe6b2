"""Graph: what cites what, how important each item is, what is near to what.

Owns `citations`, `graph_nodes`, `graph_ranks`, `graph_rankings`. Emits citations.resolved, graph.updated, graph.stale.
Listens to citations.extracted, resource.created, .updated, .deleted, graph.stale: each resolves citations and ranks.

    keys.py         by which names a citation and an item are recognised as the same work
    resolution.py   citations find their items, and again when items come and go
    ranking.py      PageRank; importance.py keeps it
    neighbours.py   items that belong together, and why
    traversal.py    what lies around an item, the path between two
"""
