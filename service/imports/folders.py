"""Folders of a file as collections of whoever imports it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from service.collections import actions as collections
from service.collections.tables import Collection
from service.database import Session
from service.imports.entry import DEEPEST
from service.security.accounts import Account


class Folders:
    """Finds the collection of a path, makes those that are not there, and gathers what goes into which."""

    def __init__(self, account: Account, root: UUID | None) -> None:
        self.account, self.root = account, root
        self._ids: dict[tuple[str, ...], UUID] = {}
        self._held: dict[UUID, list[UUID]] = {}

    async def put(self, session: Session, paths: Sequence[Sequence[str]], resource_id: UUID) -> None:
        """Remember that a resource goes into these folders, or where there are none into the root."""
        for path in paths:
            if (id := await self._id(session, tuple(path[:DEEPEST]))) is not None:
                self._held.setdefault(id, []).append(resource_id)
        if not paths and self.root is not None:
            self._held.setdefault(self.root, []).append(resource_id)

    async def fill(self, session: Session) -> None:
        """Put everything where it belongs."""
        for id, resource_ids in sorted(self._held.items()):
            await collections.add(session, self.account, id, resource_ids)
        self._held.clear()

    async def _id(self, session: Session, path: tuple[str, ...]) -> UUID | None:
        if not path:
            return self.root
        if path in self._ids:
            return self._ids[path]
        parent = await self._id(session, path[:-1])
        there = select(Collection.id).where(
            Collection.owner_id == self.account.id,
            Collection.name == path[-1],
            Collection.parent_id.is_(None) if parent is None else Collection.parent_id == parent,
        )
        id = await session.scalar(there.order_by(Collection.created_at).limit(1))
        if id is None:
            fields = {"name": path[-1], "parent_id": parent} if parent else {"name": path[-1]}
            id = (await collections.create(session, self.account, fields))["id"]
        self._ids[path] = id
        return id
