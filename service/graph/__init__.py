"""Graph: what cites what.

Owns `citations`. Emits nothing yet of its own; the ingestion slice announces what it recorded here.
"""
