"""Collections as formats write them that name each by an id of its own."""

from collections.abc import Iterator, Sequence


class Shelves:
    """The collections that were met so far, each with a number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, ...], int] = {}

    def number(self, path: Sequence[str]) -> int:
        """Return the number of a collection; those that it lies in have smaller ones."""
        key = tuple(path)
        if len(key) > 1:
            self.number(key[:-1])
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def __iter__(self) -> Iterator[tuple[int, str, int | None]]:
        """Yield number, name, and the number of the one that it lies in."""
        for path, number in self._numbers.items():
            yield number, path[-1], self._numbers.get(path[:-1])
