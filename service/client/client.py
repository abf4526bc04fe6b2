"""One object for the whole interface."""

from types import TracebackType
from typing import Self

import httpx

from .annotations import Annotations
from .collections import Collections
from .documents import Documents
from .feeds import Feeds
from .operations import Batches, DeadLetters, Events, Server, Tasks
from .people import Invitations, Tokens, Users
from .readings import Readings
from .resources import Resources
from .sample import Sample
from .searching import SavedSearches, Search
from .transfers import Exports, Imports
from .transport import Transport
from .trash import Duplicates, Trash
from .webhooks import Webhooks


class Client:
    """A Pharos server, as whoever has the token sees it.

    `timeout` is in seconds, for one answer; uploads take as long as they take. `attempts` counts the first one: what
    may be sent twice without harm is sent again after a lost connection, 429 and 503, after longer and longer pauses.
    """

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        timeout: float = 30.0,
        attempts: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = Transport(server, token, timeout=timeout, attempts=attempts, transport=transport)
        self.resources = Resources(self._transport)
        self.documents = Documents(self._transport)
        self.search = Search(self._transport)
        self.saved_searches = SavedSearches(self._transport)
        self.collections = Collections(self._transport)
        self.annotations = Annotations(self._transport)
        self.imports = Imports(self._transport)
        self.export = Exports(self._transport)
        self.tasks = Tasks(self._transport)
        self.batches = Batches(self._transport)
        self.dead_letters = DeadLetters(self._transport)
        self.server = Server(self._transport)
        self.events = Events(self._transport)
        self.users = Users(self._transport)
        self.invitations = Invitations(self._transport)
        self.tokens = Tokens(self._transport)
        self.feeds = Feeds(self._transport)
        self.readings = Readings(self._transport)
        self.trash = Trash(self._transport)
        self.duplicates = Duplicates(self._transport)
        self.sample = Sample(self._transport)
        self.webhooks = Webhooks(self._transport)

    @property
    def address(self) -> str:
        """Return where the server is."""
        return self._transport.server

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()
