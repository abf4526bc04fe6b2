"""The CSV of Pocket: title, url, time_added, tags (by `|`), status."""

import csv
import io
from collections.abc import Iterator

from service.exports.spreadsheet import as_it_was
from service.imports.entry import Entry, Found, Problem, moment
from service.ingestion.decoding import decode

STATES = {"archive": "read", "read": "read", "unread": "unread"}
LARGEST_CELL = 1_000_000  # characters


def read(body: bytes) -> Iterator[Found]:
    """Yield the links of a table; its columns are found by their names."""
    csv.field_size_limit(LARGEST_CELL)
    rows = csv.DictReader(io.StringIO(decode(body).replace("\0", ""), newline=""))
    rows.fieldnames = [(name or "").strip().casefold() for name in rows.fieldnames or ()]
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(line, f"The row cannot be read: {error}.")
            continue
        cells = {name: as_it_was(value) for name, value in row.items() if isinstance(value, str)}
        url = cells.get("url", "").strip()
        if not url:
            yield Problem(line, "The row has no address.", cells.get("title", "")[:200])
            continue
        state = STATES.get(cells.get("status", "").strip().casefold())
        names = [*cells.get("tags", "").split("|"), *([state] if state else [])]
        added = moment(cells.get("time_added", ""))
        yield Entry(line, cells.get("title", ""), url, names, created_at=added)
