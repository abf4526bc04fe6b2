"""Files, up and down, as they are read and written: none is held in memory."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import IO, Literal

from .models import Document, DocumentProgress, DocumentState, Items, Page, Passage, TaskStarted, Uploaded
from .transport import UNSET, Asked, Id, Transport, Unset, given, said

Sort = Literal["created_at", "-created_at", "filename", "-filename", "size", "-size", "subject", "-subject"]


class Documents:
    """Uploaded files."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def upload(
        self,
        file: Path | IO[bytes],
        *,
        filename: str | None = None,
        subject: str | None = None,
        category: str | None = None,
        private: bool = False,
        batch_id: Id | None = None,
    ) -> Uploaded:
        """Add a file, of which the server answers once it is stored; `filename` where the file has no name."""
        if isinstance(file, Path):
            with file.open("rb") as opened:
                return await self.upload(
                    opened, filename=filename or file.name, subject=subject, category=category, private=private,
                    batch_id=batch_id,
                )  # fmt: skip
        name = filename or Path(str(getattr(file, "name", "untitled"))).name
        form = given(subject=subject, category=category, private=private, batch_id=batch_id)
        asked = Asked("POST", "/documents", form=form, files=[("file", (name, file))])
        return (await self._transport.ask(Items[Uploaded], asked)).items[0]

    def list(
        self,
        *,
        limit: int | None = None,
        own: bool | None = None,
        subject: str | None = None,
        category: str | None = None,
        status: Sequence[DocumentState] | None = None,
        q: str | None = None,
        sort: Sort = "-created_at",
    ) -> AsyncGenerator[Document]:
        """Yield those that match."""
        return self._transport.each(
            Page[Document], "/documents", limit,
            own=own, subject=subject, category=category, status=status, q=q, sort=sort,
        )  # fmt: skip

    async def get(self, id: Id) -> Document:
        """Read the record of one."""
        return await self._transport.get(Document, f"/documents/{id}")

    async def status(self, id: Id) -> DocumentProgress:
        """Return how far one is."""
        return await self._transport.get(DocumentProgress, f"/documents/{id}/status")

    def passages(self, id: Id, *, limit: int | None = None) -> AsyncGenerator[Passage]:
        """Yield the passages of one, in the order of its text."""
        return self._transport.each(Page[Passage], f"/documents/{id}/passages", limit)

    def download(self, id: Id) -> AsyncGenerator[bytes]:
        """Yield the bytes as they were uploaded."""
        return self._transport.download(f"/documents/{id}/download")

    async def update(
        self,
        id: Id,
        *,
        filename: str | Unset = UNSET,
        subject: str | Unset | None = UNSET,
        category: str | Unset | None = UNSET,
    ) -> Document:
        """Change what is named."""
        body = said(filename=filename, subject=subject, category=category)
        return await self._transport.send(Document, "PUT", f"/documents/{id}", body)

    async def delete(self, id: Id) -> None:
        """Delete one with its resource and its bytes."""
        await self._transport.delete(f"/documents/{id}")

    async def delete_many(self, document_ids: Sequence[Id]) -> TaskStarted:
        """Delete up to a thousand."""
        return await self._transport.send(TaskStarted, "POST", "/documents/delete", {"document_ids": document_ids})
