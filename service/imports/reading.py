"""The work of the child process that reads a file: bytes to lines of JSON. No network, no settings.

The first line is the format that was found, the last one says how it ended; each other line is an entry or a problem.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import orjson

from service.imports.detection import detect
from service.imports.entry import MOST, Entry, Found, Problem
from service.imports.formats import arxiv, bibtex, bookmarks, csl, library, opml, pocket, readers, ris, zotero

READERS: dict[str, Callable[[bytes], Iterator[Found]]] = {
    "netscape": bookmarks.read,
    "pocket_html": bookmarks.read,
    "pocket_csv": pocket.read,
    "wallabag": readers.read_wallabag,
    "karakeep": readers.read_karakeep,
    "linkwarden": readers.read_linkwarden,
    "zotero_rdf": zotero.read,
    "csl": csl.read,
    "bibtex": bibtex.read,
    "ris": ris.read,
    "opml": opml.read,
    "json": library.read,
    "arxiv": arxiv.read,  # an answer of its API: no file that anybody has
}
MOST_PROBLEMS = 10_000
UNKNOWN = (
    "The format cannot be told from what is in the file. It takes bookmarks (HTML), Pocket, wallabag, Linkwarden,"
    " karakeep, Zotero RDF, CSL-JSON, BibTeX, RIS, OPML, and the JSON of Pharos."
)


def answer(description: bytes, body: bytes, write: Callable[[bytes], None]) -> None:
    """Read a file of the format that the description names, or that it has."""
    asked: str = orjson.loads(description)["format"]
    known = asked if asked in READERS else detect(body)
    _line(write, {"format": known})
    if known is None:
        _line(write, {"problem": asdict(Problem(1, UNKNOWN))})
    else:
        for line in read(known, body):
            _line(write, line)
    _line(write, {"end": True})


def read(form: str, body: bytes) -> Iterator[dict[str, Any]]:
    """Yield entries and problems as they are written; a fault of the reader is a problem like others."""
    entries = wrong = 0
    try:
        for found in READERS[form](body):
            if isinstance(found, Entry):
                if (entries := entries + 1) > MOST:
                    yield {"problem": asdict(Problem(found.line, f"Only the first {MOST:,} entries are taken."))}
                    return
                yield {"entry": asdict(found.cleaned())}
            elif (wrong := wrong + 1) <= MOST_PROBLEMS:
                yield {"problem": asdict(found)}
    except MemoryError:
        raise
    except RecursionError:
        yield {"problem": asdict(Problem(1, "It is nested too deeply; what came before that was read."))}
    except Exception as error:
        reason = f"The reader stopped: {type(error).__name__}: {str(error)[:200]}."
        yield {"problem": asdict(Problem(1, reason))}


def warm_up() -> None:
    """Nothing is loaded late."""


def _line(write: Callable[[bytes], None], value: dict[str, Any]) -> None:
    write(orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS) + b"\n")
