"""Verbs of the sample set: load, look, remove."""

from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import select

from service import storage
from service.collections import actions as collections
from service.collections.tables import Collection
from service.database import ReadSession, Session
from service.documents import actions as documents
from service.documents.actions import Upload
from service.documents.tables import Document
from service.ingestion.tables import Ingestion
from service.resources.tables import Resource
from service.security.accounts import Account
from service.trash import actions as trash

TEXTS = sorted((Path(__file__).parent / "texts").iterdir())
COLLECTION = "Sample: memory and learning"
DESCRIBED = "How forgetting works, and what helps against it: a part of the sample set."
COLLECTED = ("how-forgetting-works.md", "testing-yourself.md", "spaced-repetition.html", "reading-to-remember.pdf")


@dataclass(frozen=True, slots=True)
class Piece:
    """One text of the sample set in somebody's library; `duplicate` where it was there already."""

    id: UUID
    filename: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample set of an account: what it holds of it, and under which ids it is found."""

    batch_id: UUID
    collection_id: UUID | None
    total: int
    items: list[Piece]


async def keep_originals() -> list[Upload]:
    """Store the bytes of all texts; done before a transaction begins."""
    uploads: list[Upload] = []
    for path in TEXTS:
        body = path.read_bytes()
        uploads.append(Upload(path.name, len(body), await storage.put(body), guess_type(path.name)[0]))
    return uploads


async def load(session: Session, account: Account, uploads: list[Upload]) -> Sample:
    """Add what is missing of the sample set, for this account's eyes only, and the collection of it."""
    batch_id = _batch(account)
    made = [
        await documents.upload(session, account, one, subject=None, private=True, batch_id=batch_id) for one in uploads
    ]
    items = [Piece(one.resource_id, file.filename, one.duplicate) for one, file in zip(made, uploads, strict=True)]
    if await session.get(Collection, _collection(account)) is None:
        named = {"id": _collection(account), "name": COLLECTION, "description": DESCRIBED, "visibility": "private"}
        await collections.create(session, account, named)
    chosen = [one.id for one in items if one.filename in COLLECTED]
    await collections.add(session, account, _collection(account), chosen)
    return Sample(batch_id, _collection(account), len(TEXTS), items)


async def read(session: ReadSession, account: Account) -> Sample:
    """Return what the account has of the sample set."""
    found = (
        select(Resource.id, Document.filename)
        .join(Ingestion, Ingestion.resource_id == Resource.id)
        .join(Document, Document.resource_id == Resource.id)
        .where(Ingestion.batch_id == _batch(account), Resource.owner_id == account.id)
        .order_by(Document.filename)
    )
    items = [Piece(row.id, row.filename, True) for row in await session.execute(found)]
    collection = await session.scalar(select(Collection.id).where(Collection.id == _collection(account)))
    return Sample(_batch(account), collection, len(TEXTS), items)


async def remove(session: Session, account: Account) -> int:
    """Delete the account's sample set for good, with its collection; returns how many texts."""
    sample = await read(session, account)
    for one in sample.items:
        await documents.remove_for(session, account.id, one.id)
        await trash.purge(session, account, one.id)
    if sample.collection_id is not None:
        await collections.remove(session, account, sample.collection_id)
    return len(sample.items)


def _batch(account: Account) -> UUID:
    return uuid5(account.id, "sample")


def _collection(account: Account) -> UUID:
    return uuid5(account.id, "sample collection")
