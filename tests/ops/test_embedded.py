"""The embedded servers start from whatever a crash left, and keep to themselves."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from service.embedded import Postgres, Server, Valkey, end_orphan, running, tied
from service.embedded.postgres import WrongVersion
from service.embedded.process import ServerFailed, kept_password

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PostgreSQL folder that has run before."""
    folder = tmp_path_factory.mktemp("cluster") / "postgres"
    Postgres(folder, durable=False).prepare()
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def pid_of(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


def start_alone(server: Server) -> subprocess.Popen[bytes]:
    """Start a server as a supervisor that is killed right after would leave it."""
    process = subprocess.Popen(server.command(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not server.ready() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


async def test_what_was_written_is_there_after_a_restart(cluster: Path, log: Path) -> None:
    with log.open("ab") as stream:
        for statement in ("CREATE TABLE kept AS SELECT 42 AS answer", "SELECT answer FROM kept"):
            server = Postgres(cluster, durable=False)
            with running(server, stream):
                connection = await asyncpg.connect(server.url())
                try:
                    answer = await connection.fetchval(statement)
                finally:
                    await connection.close()
    assert answer == 42


@pytest.mark.skipif(os.geteuid() != 0, reason="concerns root")
def test_root_runs_postgresql_as_somebody_who_can_do_one_thing_more(cluster: Path, log: Path) -> None:
    assert cluster.stat().st_mode & 0o777 == 0o700
    assert cluster.stat().st_uid == 0
    with log.open("ab") as stream, running(Postgres(cluster, durable=False), stream):
        status = Path(f"/proc/{pid_of(cluster)}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert "0" not in fields["Uid"].split()
    assert int(fields["CapEff"], 16) == 1 << 2  # CAP_DAC_READ_SEARCH: private folders above, and nothing else
    assert fields["NoNewPrivs"].strip() == "1"


def test_only_the_loopback_address_is_listened_on(cluster: Path, log: Path) -> None:
    server = Postgres(cluster, durable=False)
    with log.open("ab") as stream, running(server, stream):
        listens = psutil.Process(pid_of(cluster)).net_connections()
        assert {connection.laddr for connection in listens} == {("127.0.0.1", server.port)}


@pytest.mark.parametrize(
    "content", ["", "nonsense\n", "999999999\n/tmp\n", pytest.param(f"{os.getpid()}\n/tmp\n", id="a stranger")]
)
def test_a_stale_pid_file_is_ignored(cluster: Path, log: Path, content: str) -> None:
    (cluster / "data" / "postmaster.pid").write_text(content)
    with log.open("ab") as stream, running(Postgres(cluster, durable=False), stream):
        assert pid_of(cluster) != os.getpid()


@pytest.mark.parametrize("killed", [True, False])
def test_a_server_that_was_left_behind_makes_way(cluster: Path, log: Path, killed: bool) -> None:
    left = start_alone(Postgres(cluster, durable=False))
    if killed:
        left.kill()
        left.wait()
    with log.open("ab") as stream, running(Postgres(cluster, durable=False), stream):
        assert pid_of(cluster) != left.pid
    assert left.wait(5) is not None


def test_an_interrupted_first_start_is_repeated(tmp_path: Path, log: Path) -> None:
    folder = tmp_path / "postgres"
    (folder / "draft" / "base").mkdir(parents=True)
    (folder / "draft" / "PG_VERSION").write_text("18\n")
    server = Postgres(folder, durable=False)
    with log.open("ab") as stream, running(server, stream):
        assert not (folder / "draft").exists()
        assert (folder / "password").stat().st_mode & 0o777 == 0o600


def test_data_of_another_version_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(WrongVersion, match="were written by PostgreSQL 12"):
        Postgres(tmp_path).prepare()


def test_an_orphan_elsewhere_is_not_ours_to_end(cluster: Path, tmp_path: Path) -> None:
    left = start_alone(Postgres(cluster, durable=False))
    try:
        (tmp_path / "data").mkdir()
        shutil.copy(cluster / "data" / "postmaster.pid", tmp_path / "data")
        end_orphan(tmp_path)
        assert left.poll() is None
        assert not (tmp_path / "data" / "postmaster.pid").exists()
    finally:
        left.send_signal(signal.SIGINT)
        left.wait()


def test_tasks_survive_a_killed_valkey(tmp_path: Path, log: Path) -> None:
    server = Valkey(tmp_path / "valkey")
    server.prepare()
    first = subprocess.Popen(server.command(), stdout=subprocess.DEVNULL)
    while not server.ready():
        time.sleep(0.01)
    assert exchange(server, "SET task 1", "BGREWRITEAOF", "WAITAOF 1 0 5000")[1] == "+OK"
    first.kill()
    first.wait()
    with log.open("ab") as stream, running(Valkey(tmp_path / "valkey"), stream):
        assert exchange(server, "GET task")[-1] == "1"
        assert exchange(server, "CONFIG GET maxmemory-policy")[-1] == "noeviction"
    assert (tmp_path / "valkey" / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_a_server_that_cannot_start_says_why(tmp_path: Path, log: Path) -> None:
    server = Valkey(tmp_path / "valkey")
    (tmp_path / "valkey" / "data").write_text("in the way of the folder")
    with log.open("ab") as stream, pytest.raises(FileExistsError):
        with running(server, stream):
            pass
    (tmp_path / "valkey" / "data").unlink()
    server.prepare = lambda: None
    with log.open("ab") as stream, pytest.raises(ServerFailed, match="embedded valkey did not start: it ended with"):
        with running(server, stream):
            pass


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_a_port_is_kept_while_it_is_free(tmp_path: Path, kind: type[Postgres] | type[Valkey]) -> None:
    server = kind(tmp_path)
    port = server.port
    server.take_port()
    assert server.port == kind(tmp_path).port == port
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # an earlier server's connections may linger
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        assert kind(tmp_path).port == port  # it may be the server itself that listens
        server.take_port()
        assert server.port == kind(tmp_path).port != port
    (tmp_path / "port").write_text("no port")
    assert kind(tmp_path).port in range(20_000, 32_000)


def test_a_password_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = kept_password(tmp_path / "password")
    assert len(first) >= 32
    assert kept_password(tmp_path / "password") == first
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600


def test_a_tied_process_ends_with_its_parent() -> None:
    command = tied(["sleep", "60"], signal.SIGTERM)
    script = f"import subprocess, sys\np = subprocess.Popen({command!r})\nprint(p.pid, flush=True)\np.wait()"
    parent = subprocess.Popen(["python3", "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        child = psutil.Process(int(parent.stdout.readline()))
    while child.name() != "sleep":
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    gone, alive = psutil.wait_procs([child], timeout=5)
    assert gone or alive[0].status() == psutil.STATUS_ZOMBIE


def exchange(server: Valkey, *commands: str) -> list[str]:
    """Send inline commands after signing in and return the lines of the answers."""
    password = (server.folder / "password").read_text()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall("".join(f"{line}\r\n" for line in (f"AUTH {password}", *commands, "QUIT")).encode())
        answer = b""
        while part := connection.recv(4096):
            answer += part
    return answer.decode().split("\r\n")[:-2]


async def test_listeners_outside_hear_events_and_nothing_else(tmp_path: Path, log: Path) -> None:
    with log.open("ab") as stream, running(server := Valkey(tmp_path / "valkey", durable=False), stream):
        async with Redis.from_url(server.url()) as ours, Redis.from_url(server.program_url("listener")) as theirs:
            await ours.set("secret", "x")
            async with theirs.pubsub() as hearing:
                await hearing.psubscribe("pharos_events:*")
                await hearing.get_message(timeout=5)
                await ours.publish("pharos_events:resource.created", "{}")
                heard = await hearing.get_message(timeout=5)
            assert heard is not None
            assert heard["data"] == b"{}"
            for command in (
                ("GET", "secret"), ("KEYS", "*"), ("SCAN", "0"), ("SUBSCRIBE", "pharos:bell:events"),
                ("PSUBSCRIBE", "*"), ("PUBLISH", "pharos_events:resource.created", "{}"), ("EVAL", "return 1", "0"),
                ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("SELECT", "1"), ("FLUSHALL",), ("MONITOR",),
            ):  # fmt: skip
                with pytest.raises(NoPermissionError):
                    await theirs.execute_command(*command)
