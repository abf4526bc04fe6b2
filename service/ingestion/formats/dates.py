"""Dates as documents write them."""

import re
from datetime import UTC, datetime, timedelta

PDF_DATE = re.compile(r"^D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:([+\-Z])(\d{2})?'?(\d{2})?)?")
EARLIEST = datetime(1400, 1, 1, tzinfo=UTC)


def date_of(text: str | None) -> datetime | None:
    """Read an ISO 8601 date, a year, or a PDF date (ISO 32000, 7.9.4) as UTC; None for anything else."""
    text = (text or "").strip()
    found = _pdf(text) if text.startswith("D:") else _iso(text)
    return found if found and EARLIEST <= found <= datetime.now(UTC) + timedelta(days=366) else None


def _iso(text: str) -> datetime | None:
    if re.fullmatch(r"\d{4}(-\d{2})?", text):
        text = f"{text}-01-01"[:10]
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _pdf(text: str) -> datetime | None:
    match = PDF_DATE.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = match.groups()
    try:
        local = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return local - offset if sign == "+" else local + offset
    except (ValueError, OverflowError):
        return None
