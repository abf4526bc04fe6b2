"""Programs that keep links to be read: the CSV of Pocket."""

from service.exports.record import Record
from service.exports.spreadsheet import line
from service.imports.entry import flat

POCKET = line(("title", "url", "time_added", "tags", "status"))
STATUS = {"read": "archive", "unread": "unread"}


def pocket(record: Record) -> str:
    """Return the row of what has an address; its status is empty where no tag says whether it was read."""
    if not record.url:
        return ""
    state, tags = _state(record.tags)
    added = int(record.created_at.timestamp()) if record.created_at else None
    names = "|".join(tag.replace("|", " ") for tag in tags)
    return line((flat(record.title), record.url, added, names, STATUS.get(state)))


def _state(tags: list[str]) -> tuple[str, list[str]]:
    """Return read or unread, as an import writes it in a tag, or nothing, and the other tags."""
    state = next((one for one in ("read", "unread") if one in tags), "")
    return state, [tag for tag in tags if tag != state]
