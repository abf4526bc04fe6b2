"""Annotations: passages that people mark, with a note. They are their maker's own, and follow the text as it changes.

Owns `annotations`. Emits annotation.created, .updated, .deleted, annotations.stale. Listens to changes of a text.

    anchoring.py    finds a passage again in a text that has changed
    anchors.py      keeps the offsets of all passages of a resource those of its present text
    export.py       annotations as Markdown and as JSON, a page at a time
"""
