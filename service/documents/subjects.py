"""Subjects of study: the drawers that an account puts its documents into."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.documents.tables import Document, StudySubject
from service.errors import Conflict, Invalid, NotFound
from service.security.accounts import Account

COLOURS = ("red", "orange", "olive", "green", "teal", "blue", "violet", "pink")
MOST = 200  # subjects of an account


class SubjectTaken(Conflict):
    """You have a subject “{name}” already."""


class TooManySubjects(Invalid):
    """An account has at most {most} subjects. Delete one that you do not need any more."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A subject, and how many of its owner's documents are in it, by how far they are."""

    subject: StudySubject
    documents: int
    ready: int
    failed: int


def folded(name: str) -> str:
    """Return a name as names are compared: without case, accents and white space around or doubled."""
    letters = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


async def browse(session: ReadSession, account: Account, limit: int, offset: int) -> tuple[int, list[Counted]]:
    """Return how many subjects an account has, and one page of them in their order, counted."""
    total = await session.scalar(select(func.count()).where(StudySubject.owner_id == account.id))
    listing = select(StudySubject).where(StudySubject.owner_id == account.id)
    listing = listing.order_by(StudySubject.position, StudySubject.folded).limit(limit).offset(offset)
    found = (await session.scalars(listing)).all()
    counted = await counts(session, account)
    return total or 0, [Counted(one, *counted.get(one.id, (0, 0, 0))) for one in found]


async def counts(session: ReadSession, account: Account) -> dict[UUID | None, tuple[int, int, int]]:
    """Return how many documents of an account are in each subject, are ready, have failed; None: in no subject."""
    rows = await session.execute(
        select(
            Document.subject_id,
            func.count(),
            func.count().filter(Document.status == "ready"),
            func.count().filter(Document.status == "failed"),
        )
        .where(Document.owner_id == account.id)
        .group_by(Document.subject_id)
    )
    return {subject_id: (total, ready, failed) for subject_id, total, ready, failed in rows}


async def read(session: ReadSession, account: Account, subject_id: UUID) -> StudySubject:
    """Return a subject of this account; NotFound otherwise."""
    found = await session.get(StudySubject, subject_id)
    if found is None or found.owner_id != account.id:
        raise NotFound(what="subject", id=subject_id)
    return found


async def read_counted(session: ReadSession, account: Account, subject_id: UUID) -> Counted:
    """Return a subject of this account with its counts; NotFound otherwise."""
    subject = await read(session, account, subject_id)
    return Counted(subject, *(await counts(session, account)).get(subject_id, (0, 0, 0)))


async def create(session: Session, account: Account, name: str, colour: str | None = None) -> StudySubject:
    """Add a subject at the end; SubjectTaken where the account has one of that name, TooManySubjects beyond `MOST`."""
    made = await _add(session, account, name, colour)
    if made is None:
        raise SubjectTaken(name=name)
    return made


async def named(session: Session, account: Account, name: str) -> StudySubject:
    """Return the account's subject of a name; it is added where there is none."""
    made = await _add(session, account, name, None)
    if made is not None:
        return made
    found = await session.scalar(
        select(StudySubject).where(StudySubject.owner_id == account.id, StudySubject.folded == folded(name))
    )
    assert found is not None
    return found


async def _add(session: Session, account: Account, name: str, colour: str | None) -> StudySubject | None:
    own = StudySubject.owner_id == account.id
    there = select(StudySubject.id).where(own, StudySubject.folded == folded(name))
    if await session.scalar(there) is not None:
        return None
    number, last = (
        await session.execute(select(func.count(), func.coalesce(func.max(StudySubject.position), -1)).where(own))
    ).one()
    if number >= MOST:
        raise TooManySubjects(most=MOST)
    row = insert(StudySubject).values(
        owner_id=account.id,
        name=name,
        folded=folded(name),
        colour=colour or COLOURS[(last + 1) % len(COLOURS)],
        position=last + 1,
    )
    made = row.on_conflict_do_nothing(index_elements=["owner_id", "folded"]).returning(StudySubject)
    return await session.scalar(made)


async def change(session: Session, account: Account, subject_id: UUID, fields: Mapping[str, Any]) -> StudySubject:
    """Set name, colour or place of a subject; SubjectTaken where another one has the name."""
    subject = await read(session, account, subject_id)
    if "name" in fields:
        others = select(StudySubject.id).where(
            StudySubject.owner_id == account.id,
            StudySubject.folded == folded(fields["name"]),
            StudySubject.id != subject_id,
        )
        if await session.scalar(others) is not None:
            raise SubjectTaken(name=fields["name"])
        subject.folded = folded(fields["name"])
    for name, value in fields.items():
        setattr(subject, name, value)
    await session.flush()
    return subject


async def remove(session: Session, account: Account, subject_id: UUID) -> None:
    """Delete a subject; its documents stay, in none."""
    await session.delete(await read(session, account, subject_id))
    await session.flush()


async def chosen(session: ReadSession, account: Account, wanted: str) -> UUID | None:
    """Return the id of the account's subject of this id or name; None where it has none such."""
    own: Sequence[StudySubject] = (
        await session.scalars(select(StudySubject).where(StudySubject.owner_id == account.id))
    ).all()
    return next((one.id for one in own if str(one.id) == wanted or one.folded == folded(wanted)), None)
