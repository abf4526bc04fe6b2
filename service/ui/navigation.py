"""Where one can go: the one list of places that the frame of every page shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A page that the navigation leads to; `g` and then `key` goes there. `within` are pages that belong to it."""

    key: str
    path: str
    text: str  # its name, a key of `text.py`
    icon: str
    within: tuple[str, ...] = ()

    def is_current(self, path: str) -> bool:
        """Say whether a page is this place, or belongs to it."""
        return path == self.path or path.startswith(self.within)


PLACES = (
    Place("l", "/ui/", "nav.library", "book", ("/ui/resources/",)),
    Place("e", "/ui/reading", "nav.reading", "bookmark"),
    Place("d", "/ui/documents", "nav.documents", "drawer"),
    Place("c", "/ui/collections", "nav.collections", "folder", ("/ui/collections/",)),
    Place("t", "/ui/categories", "nav.categories", "tree", ("/ui/categories/",)),
    Place("a", "/ui/authors", "nav.authors", "user", ("/ui/authors/",)),
    Place("m", "/ui/graph", "nav.graph", "graph"),
    Place("q", "/ui/quizzes", "nav.quizzes", "quiz", ("/ui/quizzes/", "/ui/sessions/")),
    Place("r", "/ui/reviews", "nav.reviews", "cards"),
)
"""On every page, in this order."""

OWN = (
    Place("n", "/ui/notifications", "nav.notifications", "bell"),
    Place("i", "/ui/import", "imports.title", "plus"),
    Place("f", "/ui/feeds", "feeds", "feed"),
    Place("s", "/ui/add", "save.place", "globe"),
    Place("w", "/ui/webhooks", "webhooks", "link"),
    Place("u", "/ui/duplicates", "twins.title", "copies"),
    Place("b", "/ui/trash", "trash.title", "trash"),
)
"""In the menu of the account."""
