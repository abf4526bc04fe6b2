"""A whole Pharos in a folder of its own, and a web server with real prose for it to read."""

import asyncio
import pydoc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from html import escape

import httpx
import pytest

from tests.installation import Installation, installed
from tests.origin import Origin, Page

MODULES = """
    argparse array ast asyncio base64 bdb bisect bz2 calendar cmd code codecs codeop collections colorsys compileall
    concurrent.futures configparser contextlib copy copyreg csv ctypes curses dataclasses datetime dbm decimal difflib
    dis doctest email enum fileinput filecmp fnmatch fractions ftplib functools getopt getpass gettext glob graphlib
    gzip hashlib heapq hmac html http.client imaplib inspect io ipaddress itertools json keyword linecache locale
    logging
    lzma mailbox mimetypes mmap multiprocessing netrc numbers operator optparse os pathlib pdb pickle pickletools
""".split()


@dataclass(frozen=True)
class Prose:
    """One page of the web server: its path, its HTML, and a phrase that stands in no other."""

    path: str
    html: str
    phrase: str


def prose(name: str, revision: str = "first") -> Prose:
    """Write a page about a module of the standard library, from its own documentation."""
    module = __import__(name, fromlist=["_"])
    paragraphs = [part for part in pydoc.plain(pydoc.render_doc(module)).split("\n\n") if len(part) > 80][:12]
    phrase = f"{name.replace('.', ' ')} keeper of the {revision} lamp"
    text = "".join(f"<p>{escape(part)}</p>" for part in [f"This is the {phrase}, and here is its story.", *paragraphs])
    title = f"About the module {name}"
    html = f"<!doctype html><html lang=en><title>{title}</title><article><h1>{title}</h1>{text}</article></html>"
    return Prose(f"/{name}", html, phrase)


@cache
def pages() -> list[Prose]:
    """Write fifty pages, when a test first asks for them: it takes seconds."""
    return [prose(name) for name in MODULES[:50]]


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    """The pages, served on 127.0.0.1."""
    async with Origin({page.path: Page(page.html.encode()) for page in pages()}) as server:
        yield server


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    """A running Pharos that may fetch from 127.0.0.1."""
    with installed(PHAROS_EGRESS_ALLOW="127.0.0.0/8") as made:
        made.up()
        yield made


@pytest.fixture
async def api(installation: Installation) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin's token."""
    token = (installation.home / "admin-token").read_text().strip()
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{installation.port}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        yield client


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait until a condition holds; a connection that is refused meanwhile is not yet an answer."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                if await condition():
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)
