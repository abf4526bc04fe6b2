"""Task queues as contestants: how a worker of each is started, how its tasks are sent, what they have done."""

import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import redis

from bench.servers import ROOT, inherited, peers_python, process
from service.embedded import Valkey

DATABASE = 3  # of Valkey, emptied before each round
LASTING = {"PHAROS_WORKER_TASKS": "0"}  # nobody would replace a worker here
PATIENCE = 120.0  # seconds for any of the waits here


@dataclass(frozen=True, slots=True)
class Contestant:
    """A task queue: the arguments of Python that start one worker process, and the module under `bench.peers`."""

    name: str
    module: str
    worker: Sequence[str]
    ours: bool = False  # runs in the environment of the product
    variables: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def python(self) -> str:
        return sys.executable if self.ours else str(peers_python())


def pharos(concurrency: int = 100) -> Contestant:
    """Return Pharos's engine at a concurrency."""
    command = ("-m", "dramatiq", "bench.peers.pharos_tasks", "--processes", "1", "--threads", "1")
    return Contestant(
        "Pharos", "pharos_tasks", command, True, {"PHAROS_WORKER_CONCURRENCY": str(concurrency), **LASTING}
    )


def _celery(pool: str, concurrency: int) -> Contestant:
    quiet = ("-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat")
    command = ("-m", "celery", "-A", "bench.peers.celery_tasks", "worker", "-P", pool, "-c", str(concurrency), *quiet)
    return Contestant(f"Celery {pool} {concurrency}", "celery_tasks", command)


def _taskiq(broker: str) -> Contestant:
    options = ("--workers", "1", "--max-async-tasks", "100", "--log-level", "ERROR")
    command = ("-m", "taskiq", "worker", "bench.peers.taskiq_tasks:broker", *options)
    return Contestant(f"taskiq {broker}", "taskiq_tasks", command, variables={"TASKIQ_BROKER": broker})


CELERY = [_celery("prefork", 2), _celery("threads", 8)]
TASKIQ = [_taskiq("stream"), _taskiq("list")]
SAQ = Contestant("SAQ 50", "saq_tasks", ("-m", "saq", "bench.peers.saq_tasks.settings"))
ARQ = Contestant("arq 100", "arq_tasks", ("-m", "arq", "bench.peers.arq_tasks.WorkerSettings"))
DRAMATIQ = Contestant(
    "Dramatiq 64 threads",
    "dramatiq_tasks",
    ("-m", "dramatiq", "bench.peers.dramatiq_tasks", "--processes", "1", "--threads", "64"),
    ours=True,
)
PEERS = [*TASKIQ, SAQ, ARQ, DRAMATIQ, *CELERY]


class Course:
    """Where one contestant runs: a Valkey database, and a folder with what its tasks have done."""

    def __init__(self, contestant: Contestant, valkey: Valkey, folder: Path) -> None:
        self.contestant, self._folder = contestant, folder
        folder.mkdir()
        self.redis = redis.Redis.from_url(valkey.url(DATABASE))
        self.redis.flushdb()
        self.environment = {
            **inherited(),
            **contestant.variables,
            "PYTHONPATH": str(ROOT),
            "TALLY": str(folder),
            "PEER_URL": valkey.url(DATABASE),
            "PHAROS_BROKER_URL": valkey.url(DATABASE),
        }

    def send(self, kind: str, count: int, *rest: str) -> float:
        """Send from a process of its own, and return how many a second."""
        done = subprocess.run(
            [self.contestant.python, "-m", f"bench.peers.{self.contestant.module}", kind, str(count), *rest],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if done.returncode:
            raise RuntimeError(f"{self.contestant.name} does not send: {done.stderr[-2000:]}")
        outcome = json.loads(done.stdout.splitlines()[-1])
        return outcome["count"] / outcome["seconds"] if outcome["seconds"] else 0.0

    @contextmanager
    def workers(self, number: int = 1) -> Generator[list[psutil.Process]]:
        """Run workers until the block ends."""
        with ExitStack() as stack:
            log = stack.enter_context((self._folder / "log").open("ab"))
            command = [self.contestant.python, *self.contestant.worker]
            started = [stack.enter_context(process(command, self.environment, log.fileno())) for _ in range(number)]
            yield [psutil.Process(one.pid) for one in started]

    def counts(self) -> dict[str, int]:
        """Return how many tasks each worker process has run."""
        files = [Path(entry.path) for entry in os.scandir(self._folder) if entry.name.endswith(".count")]
        return {file.stem: struct.unpack("q", file.read_bytes().ljust(8, b"\0"))[0] for file in files}

    def until(self, count: int) -> list[tuple[float, int]]:
        """Wait until that many tasks have run; return how many had, at each look: time and count."""
        looks: list[tuple[float, int]] = []
        deadline = time.monotonic() + PATIENCE
        while True:
            done = sum(self.counts().values())
            looks.append((time.perf_counter(), done))
            if done >= count:
                return looks
            if time.monotonic() > deadline:
                log = (self._folder / "log").read_text()[-2000:]
                raise TimeoutError(f"{self.contestant.name}: {done} of {count} tasks have run. {log}")
            time.sleep(0.005)

    def lateness(self) -> list[float]:
        """Return how late each task that says so has started, milliseconds."""
        file = self._folder / "lateness"
        return [1000 * float(line) for line in file.read_text().splitlines()] if file.exists() else []


def rate(looks: list[tuple[float, int]], first: float = 0.1, last: float = 0.9) -> float:
    """Return tasks a second between two shares of all, so that neither start nor end counts."""
    total = looks[-1][1]
    begin = next(look for look in looks if look[1] >= total * first)
    end = next(look for look in looks if look[1] >= total * last)
    return (end[1] - begin[1]) / max(end[0] - begin[0], 1e-9)
