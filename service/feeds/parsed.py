"""What a feed says, whatever its format."""

from dataclasses import dataclass

MOST = 500  # entries that are read


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `guid` is what it calls itself, else its address. `published` is in seconds since 1970."""

    guid: str
    url: str | None
    title: str
    published: int | None


@dataclass(frozen=True, slots=True)
class Linked:
    """A page that is no feed itself, and the address of the feed that it names first."""

    url: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A feed and its entries, as it lists them."""

    title: str
    site_url: str | None
    entries: list[Entry]
