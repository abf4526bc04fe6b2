"""When to look at a feed again: sooner while it has something new, later while it has not or fails."""

SHORTEST = 15 * 60  # seconds
FIRST = 60 * 60
LONGEST = 24 * 3600


def after_look(interval: int, new: int) -> int:
    """Return the seconds until the next look, after one that found `new` entries."""
    return max(SHORTEST, interval // 2) if new else min(LONGEST, interval * 3 // 2)


def after_failure(interval: int, failures: int) -> int:
    """Return the seconds until the next look, after that many failures in a row: twice as long with each."""
    return min(LONGEST, interval * 2 ** min(failures, 10))
