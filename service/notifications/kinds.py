"""THE TABLE: which event is told to people, as which kind of notification.

Events are named by their text, since whoever carries one on by a newer version may not know its class.
"""

from typing import Final, Literal, get_args

Kind = Literal[
    "document_ready",
    "document_failed",
    "ingestion_failed",
    "quiz_ready",
    "quiz_failed",
    "reviews_due",
    "batch_completed",
    "task_failed",
    "quality_degraded",
    "collection_changed",
    "webhook_disabled",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
ASKED_FOR: Final[frozenset[Kind]] = frozenset({"collection_changed"})  # told to those only who want them

# fmt: off
CAUSES: Final[dict[str, Kind]] = {
    "indexing.completed":         "document_ready",
    "document.failed":            "document_failed",
    "indexing.failed":            "document_failed",
    "ingestion.failed":           "ingestion_failed",
    "quiz.generated":             "quiz_ready",
    "quiz.generation.failed":     "quiz_failed",
    "reviews.due":                "reviews_due",
    "background_task.completed":  "batch_completed",  # of a long batch
    "background_task.failed":     "task_failed",
    "webhook.disabled":           "webhook_disabled",
    "quality.degraded":           "quality_degraded",
    "collection.updated":         "collection_changed",
    "collection.deleted":         "collection_changed",
    "collection.resource_added":  "collection_changed",
    "collection.resource_removed": "collection_changed",
}
# fmt: on
