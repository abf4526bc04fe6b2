"""How far a document is, in percent and in words."""

from collections.abc import Sequence
from typing import Any, Literal

from service.documents.tables import Document
from service.resources.tables import Resource

Status = Literal["uploaded", "processing", "processed", "indexed", "ready", "failed"]

READING, STORING, PROCESSED, INDEXED, READY = 10, 40, 50, 75, 100  # percent of the whole way
LITTLE = 100  # words; less is found, and too little for a quiz

MESSAGES: dict[str, str] = {
    "uploaded": "It waits for a free worker.",
    "processing": "Its text is being read.",
    "processed": "Its text is stored; it is being cut into passages.",
    "indexed": "It is found by its words; its meaning is being computed.",
    "ready": "It is ready.",
}
STORING_MESSAGE = "Its text is being stored."
TOO_LITTLE = "It is found, but has too little text for a quiz: {words} words."
PERCENT: dict[str, int] = {
    "uploaded": 0, "processing": READING, "processed": PROCESSED, "indexed": INDEXED, "ready": READY,
}  # fmt: skip


def percent_of(status: str, steps: Sequence[dict[str, Any]] = ()) -> int | None:
    """Return how far a document is, in percent of the way to `ready`; None for one that failed."""
    if status == "processing" and any(step["name"] == "stored" and step["state"] == "running" for step in steps):
        return STORING
    return PERCENT.get(status)


def message_of(status: str, document: Document, resource: Resource, error: str | None = None) -> str:
    """Say what a document waits for, or why it failed."""
    if status == "failed":
        reading = error if resource.status == "failed" else document.index_error
        return reading or "It could not be read."
    if status == "ready" and resource.word_count < LITTLE:
        return TOO_LITTLE.format(words=resource.word_count)
    return MESSAGES[status]
