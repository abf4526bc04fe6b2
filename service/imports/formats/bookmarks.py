"""Bookmarks as HTML: the Netscape format of every browser, and the `ril_export.html` of Pocket.

https://learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/platform-apis/aa753582(v=vs.85)
Browsers never close `<DT>`, so that the text is read tag by tag.
"""

from collections.abc import Iterator
from html.parser import HTMLParser

from service.imports.entry import Entry, Found, Problem, moment
from service.ingestion.decoding import decode

STATES = {"unread": "unread", "read archive": "read"}  # the two lists of Pocket


class _Bookmarks(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Found] = []
        self.path: list[str | None] = []  # one name per open list; None: a list without a name
        self.state: str | None = None
        self._named: str | None = None  # the folder whose list is to come
        self._entry: Entry | None = None
        self._words: list[str] | None = None  # of what is open
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "h1", "h3", "dd", "dt", "dl", "ul"):
            self._end_words()
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "a":
                self._begin(given)
            case "h1" | "h3" | "dd":
                self._words, self._tag = [], tag
                if tag == "h3" and given.get("personal_toolbar_folder"):
                    self._tag = "shelf"
            case "dl":
                self.path.append(self._named)
                self._named = None
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        if tag in ("a", "h1", "h3", "dl"):
            self._end_words()
        if tag == "dl" and self.path:
            self.path.pop()
            self._entry = None

    def handle_data(self, data: str) -> None:
        if self._words is not None:
            self._words.append(data)

    def close(self) -> None:
        super().close()
        self._end_words()

    def _begin(self, given: dict[str, str]) -> None:
        line = self.getpos()[0]
        url = given.get("href", "").strip()
        self._words, self._tag = [], "a"
        names = given.get("tags", "").split(",")
        if self.state:
            names.append(self.state)
        elif given.get("toread") == "1" or given.get("unread") == "1":
            names.append("unread")
        self._entry = Entry(
            line,
            url=url,
            tags=names,
            folders=[[name for name in self.path if name]],
            created_at=moment(given.get("add_date") or given.get("time_added")),
        )
        self.found.append(self._entry if url else Problem(line, "The bookmark has no address."))

    def _end_words(self) -> None:
        if self._words is None:
            return
        words, self._words = "".join(self._words), None
        name = " ".join(words.split())
        match self._tag:
            case "a" if self._entry is not None:
                self._entry.title = name
            case "dd" if self._entry is not None:
                self._entry.description = words.strip() or None
            case "h1":
                self.state = STATES.get(name.casefold())
            case "h3":
                self._named, self._entry = name or "Folder", None
            case "shelf":
                self._named, self._entry = None, None
            case _:
                pass


def read(body: bytes) -> Iterator[Found]:
    """Yield the bookmarks of a file with the folders that they lie in."""
    parser = _Bookmarks()
    parser.feed(decode(body))
    parser.close()
    yield from parser.found
