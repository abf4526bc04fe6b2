"""Files of other programs in, the library out."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import IO, Literal

from .models import Import, ImportStarted, LeftOut, Page
from .transport import Asked, Id, Transport, given

ExportFormat = Literal[
    "json", "csv", "csl", "bibtex", "ris", "netscape", "opml", "markdown", "pocket_csv", "wallabag", "linkwarden",
    "karakeep", "zotero_rdf",
]  # fmt: skip
LOOK = 0.5  # seconds between two looks at what has not ended


class Imports:
    """Imports and how far they are."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def start(
        self,
        file: Path | IO[bytes],
        *,
        filename: str | None = None,
        format: str = "auto",
        collection_id: Id | None = None,
        private: bool = False,
        tags: Sequence[str] = (),
    ) -> ImportStarted:
        """Send a file of another program, which is read after the answer."""
        if isinstance(file, Path):
            with file.open("rb") as opened:
                return await self.start(
                    opened, filename=filename or file.name, format=format, collection_id=collection_id,
                    private=private, tags=tags,
                )  # fmt: skip
        name = filename or Path(str(getattr(file, "name", "untitled"))).name
        form = given(format=format, collection_id=collection_id, private=private, tags=",".join(tags))
        asked = Asked("POST", "/import", form=form, files=[("file", (name, file))])
        return await self._transport.ask(ImportStarted, asked)

    def list(self, *, limit: int | None = None) -> AsyncGenerator[Import]:
        """Yield yours, the newest first."""
        return self._transport.each(Page[Import], "/imports", limit)

    async def get(self, id: Id) -> Import:
        """Return how far one is."""
        return await self._transport.get(Import, f"/imports/{id}")

    async def wait(self, id: Id) -> Import:
        """Return one when it has ended."""
        found = await self.get(id)
        while found.state in ("pending", "adding"):
            await asyncio.sleep(LOOK)
            found = await self.get(id)
        return found

    def errors(self, id: Id, *, limit: int | None = None) -> AsyncGenerator[LeftOut]:
        """Yield what was not imported."""
        return self._transport.each(Page[LeftOut], f"/imports/{id}/errors", limit)

    def errors_csv(self, id: Id) -> AsyncGenerator[bytes]:
        """Yield what was not imported as a CSV file."""
        return self._transport.download(f"/imports/{id}/errors", format="csv")

    async def retry(self, id: Id) -> ImportStarted:
        """Try again what failed, or go on with one that was cancelled."""
        return await self._transport.send(ImportStarted, "POST", f"/imports/{id}/retry", None)

    async def cancel(self, id: Id) -> Import:
        """Stop one; what is in the library stays there."""
        return await self._transport.send(Import, "POST", f"/imports/{id}/cancel", None)

    async def delete(self, id: Id) -> None:
        """Forget one that has ended; what it added stays."""
        await self._transport.delete(f"/imports/{id}")


class Exports:
    """The library in the formats of other programs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __call__(
        self,
        format: ExportFormat = "json",
        *,
        id: Sequence[Id] | None = None,
        collection: Id | None = None,
        text: bool = False,
    ) -> AsyncGenerator[bytes]:
        """Yield what you may see as a file, or the resources that are named and those of a collection."""
        return self._transport.download("/export", format=format, id=id, collection=collection, text=text)
