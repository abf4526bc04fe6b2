"""A notification in words, made when it is told and when it is listed: a group grows."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.notifications.kinds import Kind

LONGEST = 80  # characters of a name


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of one, and of `{n}`; `{name}` is the newest, `{detail}` what is known of it."""

    one: str
    many: str
    message: str = ""
    label: str = ""  # of the kind, where people choose


# fmt: off
WORDS: dict[Kind, Words] = {
    "document_ready": Words("“{name}” is ready", "{n} documents are ready", "It can be read, searched and asked about.",
                            "A document is ready"),
    "document_failed": Words("“{name}” could not be processed", "{n} documents could not be processed", "{detail}",
                             "A document could not be processed"),
    "ingestion_failed": Words("“{name}” could not be read", "{n} items could not be read", "{detail}",
                              "A page could not be read"),
    "quiz_ready": Words("The quiz “{name}” is ready", "{n} quizzes are ready", "{detail}", "A quiz is ready"),
    "quiz_failed": Words("The quiz “{name}” could not be made", "{n} quizzes could not be made", "{detail}",
                         "A quiz could not be made"),
    "reviews_due": Words("Questions are due for review", "Questions are due for review", "{detail}",
                         "Questions are due for review"),
    "batch_completed": Words("“{name}” is finished", "{n} operations are finished", "{detail}",
                             "A long operation is finished"),
    "task_failed": Words("The task “{name}” failed", "{n} tasks failed", "{detail}", "A task that I started failed"),
    "quality_degraded": Words("“{name}” lost quality", "{n} of your items lost quality", "{detail}",
                              "One of my items lost quality"),
    "webhook_disabled": Words("The webhook to {name} was switched off", "{n} webhooks were switched off", "{detail}",
                              "A webhook of mine was switched off"),
    "collection_changed": Words("The collection “{name}” changed", "{n} changes in the collection “{name}”", "{detail}",
                                "A shared collection of somebody else changed"),
}
# fmt: on


def title(kind: Kind, count: int, names: Sequence[str]) -> str:
    """Say what it is about."""
    words = WORDS[kind]
    return (words.one if count == 1 else words.many).format(n=f"{count:,}", name=_short(names[0]))


def message(kind: Kind, count: int, names: Sequence[str], detail: str | None) -> str:
    """Say more: what is known of one; of a group the newest names."""
    if count == 1 or kind == "collection_changed":
        return WORDS[kind].message.format(detail=detail or "")
    named = ", ".join(f"“{_short(name)}”" for name in names)
    return f"{named} and {count - len(names):,} more" if count > len(names) else named


def link(kind: Kind, count: int, group_key: str | None, newest: str | None) -> str | None:
    """Return where it leads to: the thing itself, or the list that a group is in."""
    if count == 1 or kind not in ("document_ready", "document_failed", "ingestion_failed", "quality_degraded"):
        return newest
    scope, _, batch = (group_key or "").partition(":")
    wanted = [f"batch={batch}"] if scope == "batch" else []
    wanted += ["show=failed"] if kind in ("document_failed", "ingestion_failed") else []
    return f"/ui/?{'&'.join(wanted)}" if wanted else "/ui/"


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"
