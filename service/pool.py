"""The connections to PostgreSQL: when a process opens more of them, and when it looks whether they live."""

from math import inf
from time import monotonic
from typing import Any

import asyncpg
from sqlalchemy import Pool, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.exc import TimeoutError as NoneCameFree
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util.queue import Empty

from service.errors import Unavailable

REST = 1.0  # seconds after which a connection is asked whether it lives


class PoolExhausted(Unavailable):
    """All {most} connections of this process to PostgreSQL are in use. Try again in a moment."""


class NoMoreConnections(Unavailable):
    """PostgreSQL takes no more connections: all that its `max_connections` allows are in use. Try again in a moment."""


class PatientPool(AsyncAdaptedQueuePool):
    """Waits a moment for a kept connection before it opens one beyond them, which is closed again after its use.

    A connection costs PostgreSQL a process and both sides a password check: ten milliseconds, many transactions' worth.
    """

    PATIENCE = 0.25  # seconds

    _over = False
    waits = 0  # for a kept connection, that were in vain: one beyond them was opened, or waited for
    exhausted = 0  # requests that got none

    def dispose(self) -> None:
        """Close what is kept; what is in use is closed when it comes back, since nobody would ask for it again."""
        self._over = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._over:
            record.close()
        else:
            super()._do_return_conn(record)

    def _do_get(self) -> ConnectionPoolEntry:
        if 0 <= self._overflow < self._max_overflow:
            try:
                return self._pool.get(True, self.PATIENCE)
            except Empty:
                self.waits += 1
        try:
            return super()._do_get()
        except NoneCameFree as error:
            self.exhausted += 1
            raise PoolExhausted(most=self.size() + self._max_overflow) from error
        except Exception as error:
            if not isinstance(error.__cause__, asyncpg.TooManyConnectionsError):  # SQLAlchemy's own stands before it
                raise
            self.exhausted += 1
            raise NoMoreConnections from error


def watch(pool: Pool) -> None:
    """Look at connections before their use, as `pool_pre_ping` does, but ask only those that had a rest.

    asyncpg sees at once when the server hangs up; a silent loss takes a question, three round trips.
    """
    event.listen(pool, "checkin", _rests)
    event.listen(pool, "checkout", _wakes)


def _rests(connection: Any, entry: ConnectionPoolEntry) -> None:
    driver = connection and connection.driver_connection
    if driver and not driver.is_closed() and driver.is_in_transaction():
        driver.terminate()  # its transaction could not be ended, as when a task was cancelled twice
    entry.info["resting_since"] = monotonic()


def _wakes(connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server hung up")
    if monotonic() - entry.info.get("resting_since", inf) > REST:
        try:
            connection.ping()
        except Exception as error:
            raise DisconnectionError(str(error)) from error
