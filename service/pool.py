"""The connections to PostgreSQL: when a process opens more of them, and when it looks whether they live."""

from math import inf
from time import monotonic
from typing import Any

from sqlalchemy import Pool, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util.queue import Empty

REST = 1.0  # seconds after which a connection is asked whether it lives


class PatientPool(AsyncAdaptedQueuePool):
    """Waits a moment for a kept connection before it opens one beyond them, which is closed again after its use.

    A connection costs PostgreSQL a process and both sides a password check: ten milliseconds, many transactions' worth.
    """

    PATIENCE = 0.25  # seconds

    _over = False

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
                pass
        return super()._do_get()


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
