"""5,000 bookmarks of a browser, from the file to the library: how fast they are accepted, and by what means."""

import asyncio
import io
import time

import asyncpg

from bench.ingest import Page, serving
from bench.report import Report
from bench.stack import Stack, pharos
from service.client import Client
from service.client.models import Import

BOOKMARKS = 5_000
FOLDERS = 50
REPEATS = 3
WORKERS = 2
LOOK = 0.05  # seconds
PAGE = Page("page", b"<title>A page</title><p>" + b"The moon pulls the sea, and the sea follows. " * 20, ())
STORED = """
SELECT count(*) FROM resources JOIN ingestions ON ingestions.resource_id = resources.id
WHERE resources.url LIKE $1 AND resources.title LIKE 'Bookmark %'
"""


def run() -> Report:
    """Import a file of new bookmarks, three times, while the pages of the one before are still being read."""
    report = Report(
        "import",
        f"{BOOKMARKS:,} bookmarks, from the file to the library",
        f"A Netscape file of {BOOKMARKS:,} bookmarks in {FOLDERS} folders, with tags and dates, sent by the client; "
        f"{WORKERS} workers. Answered: the server has the file. Accepted: each bookmark is a resource that waits to be "
        "read. The pages, from a local web server, are being read meanwhile.",
    )
    with serving([PAGE]) as port, pharos(WORKERS=str(WORKERS), EGRESS_ALLOW=f"127.0.0.1:{port}") as stack:
        asyncio.run(_run(stack, port, report))
    return report


async def _run(stack: Stack, port: int, report: Report) -> None:
    answered: list[float] = []
    accepted: list[float] = []
    used: list[float] = []
    async with Client(stack.url, stack.headers["Authorization"].removeprefix("Bearer ")) as client:
        for repeat in range(REPEATS):
            file, processors = bookmarks(port, repeat), _busy(stack)
            began = time.monotonic()
            started = await client.imports.start(io.BytesIO(file), filename="bookmarks.html")
            answered.append(time.monotonic() - began)
            ended = await _ended(client, started.batch_id)
            accepted.append(time.monotonic() - began)
            used.append(_busy(stack) - processors)
            report.check("bookmarks added, and left out", (ended.added, ended.failed), (BOOKMARKS, 0))
            report.check("rows in PostgreSQL", await _stored(stack, port, repeat), BOOKMARKS)
    report.figure("answered", "Pharos", "s", answered)
    report.figure("accepted", "Pharos", "s", accepted)
    report.figure("bookmarks a second", "Pharos", "1/s", [BOOKMARKS / seconds for seconds in accepted])
    report.figure("processor time of all programs", "Pharos", "s", used)
    report.mark(f"{BOOKMARKS:,} bookmarks accepted", max(accepted), "at most", 10, "s")
    report.remarks.append("The first import finds idle workers; those after it share them with what it brought.")


async def _ended(client: Client, id: object) -> Import:
    while True:
        found = await client.imports.get(str(id))
        if found.state not in ("pending", "adding"):
            return found
        await asyncio.sleep(LOOK)


async def _stored(stack: Stack, port: int, repeat: int) -> int:
    connection = await asyncpg.connect(stack.database_url)
    try:
        return await connection.fetchval(STORED, f"http://127.0.0.1:{port}/page.html?{repeat}-%")
    finally:
        await connection.close()


def _busy(stack: Stack) -> float:
    return sum(stack.cpu_seconds().values())


def bookmarks(port: int, repeat: int) -> bytes:
    """Return a file as a browser writes it, of pages that no other one names."""
    lines = ["<!DOCTYPE NETSCAPE-Bookmark-file-1>", "<TITLE>Bookmarks</TITLE>", "<DL><p>"]
    for folder in range(FOLDERS):
        lines += [f"<DT><H3>Folder {folder}</H3>", "<DL><p>"]
        for number in range(folder, BOOKMARKS, FOLDERS):
            address = f"http://127.0.0.1:{port}/page.html?{repeat}-{number}"
            said = f'ADD_DATE="{1_500_000_000 + number}" TAGS="tag{number % 20},sea"'
            lines.append(f'<DT><A HREF="{address}" {said}>Bookmark {number} on tides</A>')
        lines.append("</DL><p>")
    return "\n".join([*lines, "</DL><p>"]).encode()
