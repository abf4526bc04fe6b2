"""How long a text takes to read."""

WORDS_A_MINUTE = 238  # silent reading of English non-fiction, Brysbaert 2019, https://doi.org/10.1016/j.jml.2019.104047


def minutes(words: int) -> int:
    """Return the minutes that so many words take, at least one; 0 where there are none."""
    return max(1, round(words / WORDS_A_MINUTE)) if words > 0 else 0
