"""OPML 2.0: outlines of links and feeds. http://opml.org/spec2.opml

A feed comes with the address of its page, or its own where it names none; outlines around it are folders.
"""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

from service.imports.entry import Entry, Found, Problem, written
from service.imports.formats.xml import Element, local, parsed, problems


def read(body: bytes) -> Iterator[Found]:
    """Yield the outlines that have an address."""
    tree = parsed(body)
    if tree.root is None:
        yield from problems(tree)
        return
    bodies = [child for child in reversed(tree.root) if local(child) == "body"] or [tree.root]
    waiting: list[tuple[Element, list[str]]] = [(body, []) for body in bodies]
    while waiting:
        element, path = waiting.pop()
        here = path
        if local(element) == "outline":
            given = {local_name.casefold(): value for local_name, value in element.attrib.items()}
            name = given.get("text") or given.get("title") or ""
            url = given.get("htmlurl") or given.get("url") or given.get("xmlurl")
            if url:
                yield Entry(
                    element.sourceline or 1,
                    name,
                    url,
                    [part.strip("/") for part in given.get("category", "").split(",")],
                    folders=[path],
                    description=given.get("description") or None,
                    language=given.get("language"),
                    created_at=_moment(given.get("created", "")),
                )
            elif not len(element):
                yield Problem(element.sourceline or 1, "The outline has no address.", name[:200])
            here = [*path, name or "Folder"]
        waiting += [(child, here) for child in reversed(element) if local(child) == "outline"]
    yield from problems(tree)


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return written(text)
