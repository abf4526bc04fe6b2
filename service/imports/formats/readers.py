"""The JSON of programs that keep links: wallabag, karakeep, Linkwarden."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from service.imports.entry import Entry, Found, Highlight, Problem, moment, written
from service.imports.formats.objects import Element, elements, list_after, listed, names, outermost, words
from service.ingestion.decoding import decode

_NO_OBJECT = "It is no object with fields."
UNSORTED = "Unorganized"  # the collection of Linkwarden for what is in none
_NOTHING = "It has neither an address nor a text."


def read_wallabag(body: bytes) -> Iterator[Found]:
    """Yield the articles of wallabag's export, with their HTML and annotations."""
    text = decode(body)
    start = outermost(text)
    start = list_after(text, "items") if start is None else start  # of its API
    yield from _each(text, start, _wallabag)


def _wallabag(line: int, one: dict[str, Any]) -> Found:
    html = words(one.get("content"))
    url = words(one.get("url")) or words(one.get("origin_url"))
    if not (url or html):
        return Problem(line, _NOTHING, words(one.get("title"))[:200])
    state = "read" if one.get("is_archived") else "unread"
    labels = [*names(one.get("tags")), state, *(["starred"] if one.get("is_starred") else [])]
    marked = [
        Highlight(words(mark.get("quote")), words(mark.get("text")))
        for mark in listed(one.get("annotations"))
        if isinstance(mark, dict)
    ]
    return Entry(
        line,
        words(one.get("title")),
        url or None,
        labels,
        html=html,
        authors=names(one.get("published_by")),
        language=words(one.get("language")),
        created_at=written(one.get("created_at")),
        published_at=written(one.get("published_at")),
        highlights=marked,
    )


def read_karakeep(body: bytes) -> Iterator[Found]:
    """Yield the bookmarks of karakeep's export; its lists are folders."""
    text = decode(body)
    objects = _lists(text)
    paths = paths_of({words(one.get("id")): (words(one.get("name")), words(one.get("parentId"))) for one in objects})

    def one(line: int, value: dict[str, Any]) -> Found:
        return _karakeep(line, value, paths)

    yield from _each(text, list_after(text, "bookmarks"), one)


def _lists(text: str) -> list[dict[str, Any]]:
    """Return the lists themselves, before or after the bookmarks, each of which names its own under the same key."""
    begins = [found.end() for found in re.finditer(r'"lists"\s*:\s*\[', text)]
    for start in (*begins[:1], *begins[-1:]):
        found = [one.value for one in elements(text, start) if isinstance(one, Element)]
        if found and all(isinstance(one, dict) for one in found):
            return found
    return []


def _karakeep(line: int, one: dict[str, Any], paths: dict[str, list[str]]) -> Found:
    content = one.get("content")
    content = content if isinstance(content, dict) else {}
    url, text = words(content.get("url")), words(content.get("text"))
    title = words(one.get("title")) or words(content.get("title"))
    if not (url or text):
        kept = "It is a file, which the export does not hold." if content.get("type") == "asset" else _NOTHING
        return Problem(line, kept, title[:200])
    labels = [*names(one.get("tags")), *(["read"] if one.get("archived") else [])]
    said = [words(one.get("note")), words(one.get("summary")), words(content.get("description"))]
    return Entry(
        line,
        title or text.strip().partition("\n")[0][:200],
        url or None,
        labels,
        folders=[paths[id] for id in map(words, listed(one.get("lists"))) if id in paths],
        description="\n\n".join(part for part in said if part) or None,
        text="" if url else text,
        authors=[name] if (name := words(content.get("author"))) else [],
        created_at=moment(one.get("createdAt")),
    )


def read_linkwarden(body: bytes) -> Iterator[Found]:
    """Yield the links of Linkwarden's export; its collections are folders, and a circle of them is broken."""
    text = decode(body)
    start = list_after(text, "collections")
    if start is None:
        yield Problem(1, "There is no list of collections.")
        return
    found = list(elements(text, start))
    whole = [one for one in found if isinstance(one, Element) and isinstance(one.value, dict)]
    paths = paths_of(
        {
            words(one.value.get("id")) or f"{number}": (words(one.value.get("name")), words(one.value.get("parentId")))
            for number, one in enumerate(whole)
        }
    )
    for number, one in enumerate(whole):
        path = paths[words(one.value.get("id")) or f"{number}"]
        path = [] if path == [UNSORTED] else path
        for link in listed(one.value.get("links")):
            yield _linkwarden(one.line, link, path) if isinstance(link, dict) else Problem(one.line, _NO_OBJECT)
    for one in found:
        if isinstance(one, Problem):
            yield one
            yield from _rest(text, one)


def _rest(text: str, problem: Problem) -> Iterator[Found]:
    """Yield the links of a collection in which the file is cut off."""
    lines = text.split("\n", problem.line - 1)
    offset = len(text) - len(lines[-1])
    start = list_after(text, "links", text.find(problem.shown, offset))
    for one in elements(text, start) if problem.shown and start else ():
        if isinstance(one, Element) and isinstance(one.value, dict):
            yield _linkwarden(one.line, one.value, [])


def _linkwarden(line: int, one: dict[str, Any], path: list[str]) -> Found:
    url, text = words(one.get("url")), words(one.get("textContent"))
    if not (url or text):
        return Problem(line, _NOTHING, words(one.get("name"))[:200])
    return Entry(
        line,
        words(one.get("name")) or words(one.get("description"))[:200],
        url or None,
        names(one.get("tags")),
        folders=[path],
        description=words(one.get("description")) or None,
        text="" if url else text,
        created_at=written(one.get("importDate")) or written(one.get("createdAt")),
    )


def paths_of(parents: dict[str, tuple[str, str]]) -> dict[str, list[str]]:
    """Return the path of each folder by its id, of names and ids of parents; a circle ends where it would begin again.

    Folders without a name are called Folder.
    """
    paths: dict[str, list[str]] = {}
    for id in parents:
        names: list[str] = []
        seen: set[str] = set()
        here = id
        while here in parents and here not in seen and len(seen) < 100:
            seen.add(here)
            name, here = parents[here]
            names.append(name or "Folder")
        paths[id] = names[::-1]
    return paths


def _each(text: str, start: int | None, entry: Callable[[int, dict[str, Any]], Found]) -> Iterator[Found]:
    if start is None:
        yield Problem(1, "The list that holds the entries is not there.")
        return
    for one in elements(text, start):
        if isinstance(one, Problem):
            yield one
        elif isinstance(one.value, dict):
            yield entry(one.line, one.value)
        else:
            yield Problem(one.line, _NO_OBJECT, str(one.value)[:80])
