"""Which entries are in the library already: by their address, their DOI, or what they say."""

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects.postgresql import insert

from service.database import ReadSession, Session
from service.imports.entry import Entry
from service.imports.references import as_text
from service.imports.tables import ImportSource
from service.ingestion.actions import address_of
from service.ingestion.canonical import canonical_url
from service.ingestion.tables import Ingestion
from service.resources.tables import Resource, visible
from service.security.accounts import Account


def keys_of(entry: Entry) -> list[str]:
    """Return by what an entry is known again, the strongest first."""
    found = [f"url:{canonical_url(entry.url)}"] if entry.url else []
    found += [one for one in entry.identifiers if one.startswith("doi:")]
    if not found:
        said = entry.html or entry.text or (as_text(entry.csl) if entry.csl else "")
        digest = hashlib.sha256("\n".join((entry.title, said)).encode()).hexdigest()
        found = [f"text:{digest}"]
    return found


class Known:
    """What the entries of one chunk are in the library already, and what became of those before them."""

    def __init__(self, account: Account, private: bool) -> None:
        self.account, self.private = account, private
        self._by_key: dict[str, UUID] = {}

    async def look(self, session: ReadSession, entries: Iterable[Entry]) -> None:
        """Find what is there for some entries; a private import looks at the account's private things only."""
        keys = {key for entry in entries for key in keys_of(entry)}
        urls = [key.removeprefix("url:") for key in keys if key.startswith("url:")]
        dois = [key for key in keys if key.startswith("doi:")]
        seen = self._seen()
        if dois:
            matching = Resource.identifiers.overlap(dois)
            rows = await session.execute(select(Resource.id, Resource.identifiers).where(seen, matching))
            for id, identifiers in rows:
                self._by_key |= {one: id for one in identifiers if one in keys}
        if urls:
            rows = await session.execute(
                select(Resource.id, Resource.canonical_url)
                .where(seen, Resource.canonical_url.in_(urls))
                .order_by(Resource.created_at.desc())
            )
            self._by_key |= {f"url:{url}": id for id, url in rows}
            addresses = {address_of(self.account, url, private=True): url for url in urls}
            addresses |= {} if self.private else {url: url for url in urls}
            entered = select(Ingestion.resource_id, Ingestion.address).join(Resource)
            for id, address in await session.execute(entered.where(seen, Ingestion.address.in_(addresses))):
                self._by_key[f"url:{addresses[address or '']}"] = id
        before = select(ImportSource.key, ImportSource.resource_id).join(Resource)
        mine = and_(seen, ImportSource.owner_id == self.account.id, ImportSource.key.in_(self._kept(keys)))
        for key, id in await session.execute(before.where(mine)):
            self._by_key[key.partition(" ")[2]] = id

    def of(self, entry: Entry) -> UUID | None:
        """Return the resource that an entry is; None where it is new."""
        return next((self._by_key[key] for key in keys_of(entry) if key in self._by_key), None)

    async def remember(self, session: Session, entry: Entry, resource_id: UUID) -> None:
        """Write what an entry is, so that the same one is known again whatever is changed in the resource."""
        keys = keys_of(entry)
        self._by_key |= {key: self._by_key.get(key, resource_id) for key in keys}
        rows = [{"owner_id": self.account.id, "key": k, "resource_id": resource_id} for k in self._kept(keys)]
        written = insert(ImportSource).values(rows)
        updated = {"resource_id": written.excluded.resource_id}
        await session.execute(
            written.on_conflict_do_update(index_elements=["owner_id", "key"], set_=updated).execution_options(
                synchronize_session=False
            )
        )

    def _kept(self, keys: Iterable[str]) -> Sequence[str]:
        return [f"{'private' if self.private else 'shared'} {key}" for key in keys]

    def _seen(self) -> ColumnElement[bool]:
        if self.private:
            return and_(Resource.private.is_(True), Resource.owner_id == self.account.id)
        return visible(self.account)
