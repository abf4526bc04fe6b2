"""Starts everything in order, keeps it running, stops it in stages: work first, the servers last."""

import asyncio
import fcntl
import os
import signal
from contextlib import suppress
from typing import Any

from service.embedded.process import private_file
from service.errors import Conflict, PharosError
from service.settings import Settings
from service.settings import settings as read_settings
from workers.supervisor import control, machine, programs
from workers.supervisor.child import Child
from workers.supervisor.log import Log
from workers.supervisor.programs import Program
from workers.supervisor.scaling import Range, Scaler

MOST_WORKERS = 12  # 20 connections each, 60 for the web server, out of the embedded PostgreSQL's 320
_LINGER = 5.0  # seconds in which `up` can ask why the start failed


class AlreadyRunning(Conflict):
    """Another supervisor runs Pharos in {home} already."""


class StartFailed(PharosError):
    """{name} does not start. Its last lines:
    {tail}"""


class NeedsServers(PharosError):
    """Workers alone need PHAROS_DATABASE_URL and PHAROS_BROKER_URL: the servers that they work for."""


class Supervisor:
    """Owns every process of the installation in `settings.home`; with `only`, none but so many workers."""

    def __init__(self, settings: Settings, only: Range | None = None) -> None:
        self.settings, self._only = settings, only
        self.home = settings.home.resolve()
        self.servers: list[Child] = []
        self.working: list[Child] = []
        self.state = "starting"
        self.step = "starting"
        self.error: str | None = None
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._log = Log(self.home / "log" / "pharos.log")
        self._environment: dict[str, str] = {}
        self._successors: dict[Child, Child] = {}  # and whom each one is to replace
        self._scaling: asyncio.Task[None] | None = None

    async def run(self) -> int:
        """Run until asked to stop; returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        listening = await control.serve(self.home / "run" / "control", self._answer)
        start = asyncio.create_task(self._bring_up())
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait([start, stop], return_when=asyncio.FIRST_COMPLETED)
        failed = start.done() and not start.cancelled() and start.exception()
        if failed:
            self.state, self.error = "failed", str(failed) if isinstance(failed, PharosError) else repr(failed)
            self._log.write("supervisor", self.error)
        else:
            await stop
            self.state = "stopping"
        start.cancel()
        self._fix()
        await self._end(self.working)
        await self._end(self.servers)
        if failed:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER):
                    await stop
        stop.cancel()
        listening.close()
        for name in ("control", "env"):
            (self.home / "run" / name).unlink(missing_ok=True)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            loop.remove_signal_handler(number)
        self._log.write("supervisor", "stopped")
        self._log.close()
        return 1 if failed else 0

    def stop(self) -> None:
        """Stop everything; asked a second time, without waiting for work that is running."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def scale(self, count: int) -> None:
        """Run `count` workers from now on."""
        most = self._most_workers
        if not 1 <= count <= most:
            raise Conflict(f"{count} workers: choose 1 to {most}, as many as there are database connections for.")
        staying = self._workers()
        for child in staying[count:]:
            child.retire()
        for _ in range(count - len(staying)):
            self._add_worker()

    @property
    def _most_workers(self) -> int:
        return MOST_WORKERS if self.settings.database_url is None else 1000

    def _workers(self) -> list[Child]:
        leaving = self._successors.values()
        workers = (child for child in self.working if child.name.startswith("worker-"))
        return [child for child in workers if not child.stopping and child not in leaving]

    def _add_worker(self) -> Child:
        taken = {child.name for child in self.working}
        free = (program for number in range(1, 2000) if (program := programs.worker(number)).name not in taken)
        return self._add(self.working, next(free), programs.for_workers(self._environment))

    def _replace(self, unit: int) -> None:
        """Start the successor of a worker; the worker retires once that one takes tasks."""
        worn = next((child for child in self._workers() if child.pid == unit), None)
        if worn is not None and self.state == "running":
            worn.say("has done its share and is replaced")
            self._successors[self._add_worker()] = worn

    def _ready(self, unit: int, pid: int) -> None:
        child = next((child for child in self.working if child.pid == unit), None)
        if child is not None:
            child.worker = pid
            if predecessor := self._successors.pop(child, None):
                predecessor.retire()

    async def _scale_by_itself(self, allowed: Range) -> None:
        os.environ.update(self._environment)  # that of an embedded broker, for this process too
        read_settings.cache_clear()
        from service import queue, tasks  # not above: without it, the supervisor stays small
        from service.queue.status import backlog

        assert tasks.QUEUES  # declared by being imported
        async with queue.connected():
            scaler = Scaler(
                allowed,
                self.settings.worker_concurrency,
                backlog,
                lambda: len(self._workers()),
                self.scale,
                lambda text: self._log.write("supervisor", text),
            )
            await scaler.run()

    def _scaled(self, scaling: asyncio.Task[None]) -> None:
        if not scaling.cancelled() and (error := scaling.exception()):
            self._log.write("supervisor", f"scales no more, the number of workers stays: {error!r}")

    def _fix(self) -> None:
        """Leave the number of workers as it is."""
        if self._scaling is not None:
            self._scaling.cancel()
            self._scaling = None

    async def _bring_up(self) -> None:
        if self._only is not None:
            self._environment = {**os.environ, **programs.addresses(self.settings, [])}
            self._start_workers(self._only)
            return
        embedded = programs.servers(self.settings)
        for server in embedded:
            server.take_port()
        addresses = programs.addresses(self.settings, embedded)
        private_file(self.home / "run" / "env", "".join(f"{name}={value}\n" for name, value in addresses.items()))
        self._environment = {**os.environ, **addresses}
        starting = [(server, self._add(self.servers, programs.program_of(server))) for server in embedded]
        for server, child in starting:
            self.step = f"starting {server.name}"
            while not (child.running and server.ready()):
                if child.failing:
                    raise StartFailed(name=server.name, tail="\n    ".join(child.tail))
                await asyncio.sleep(0.02)
        rest = programs.programs(self.settings)
        for program in rest:
            if program.early:
                self._add(self.working, program)
        self.step = "bringing the database up to date"
        migration = self._add(self.working, programs.MIGRATION)
        await migration.ended.wait()
        if migration.exit_code != 0:
            raise StartFailed(name="The migration", tail="\n    ".join(migration.tail))
        self.step = "starting the web server, the model server, the workers and the timetable"
        for program in rest:
            if not program.early:
                self._add(self.working, program)
        self._start_workers(Range(self.settings.workers, self.settings.workers_max or self.settings.workers))

    def _start_workers(self, allowed: Range) -> None:
        self.scale(allowed.least)
        if allowed.most > self._most_workers:
            self._log.write(
                "supervisor", f"scales to {self._most_workers} workers, as many as there are connections for"
            )
            allowed = Range(allowed.least, self._most_workers)
        if allowed.most > allowed.least:
            self._scaling = asyncio.create_task(self._scale_by_itself(allowed))
            self._scaling.add_done_callback(self._scaled)
        self.state = self.step = "running"

    def _add(self, group: list[Child], program: Program, environment: dict[str, str] | None = None) -> Child:
        child = Child(program, environment or self._environment, self._log)
        group.append(child)
        self._launch(child)
        return child

    def _launch(self, child: Child) -> None:
        if child.stopping:
            return
        try:
            child.start()
        except (OSError, PharosError) as error:
            child.say(f"cannot be started: {error}")
            self._launch_later(child)

    def _launch_later(self, child: Child) -> None:
        pause = child.pause()
        child.say(f"is started again in {pause:.1f} s")
        asyncio.get_running_loop().call_later(pause, self._launch, child)

    def _reap(self) -> None:
        for group in (self.working, self.servers):
            for child in list(group):
                if not child.bury():
                    continue
                child.say(f"ended with code {child.exit_code}")
                if child.stopping or child.program.once:
                    group.remove(child)
                else:
                    self._launch_later(child)

    async def _end(self, group: list[Child]) -> None:
        """Stop a group: its stop signal, its grace, then the end of whatever is left."""
        for child in group:
            child.ask_to_end()
        ended = asyncio.gather(*(child.ended.wait() for child in group))
        hurry = asyncio.ensure_future(self._hurry.wait())
        grace = max((child.program.grace for child in group), default=0)
        await asyncio.wait([ended, hurry], timeout=grace, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        for child in group:
            if child.running:
                child.say("did not end in time")
                child.kill()
        await ended

    async def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        match question:
            case {"do": "stop"}:
                self.stop()
            case {"do": "scale", "count": int(count)}:
                if self.state != "running":
                    return {"error": f"Pharos is {self.state}; try again when `make up` has returned."}
                try:
                    self.scale(count)
                    self._fix()
                except Conflict as error:
                    return {"error": str(error)}
            case {"do": "ready", "unit": int(unit), "pid": int(pid)}:
                self._ready(unit, pid)
            case {"do": "replace", "unit": int(unit)}:
                self._replace(unit)
            case {"do": "measure"}:  # takes a while, so `status` goes without
                return self._status() | {"memory": {child.name: child.memory() for child in self._children()}}
            case _:
                pass
        return self._status()

    def _children(self) -> list[Child]:
        return [*self.servers, *self.working]

    def _status(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "step": self.step,
            "error": self.error,
            "pid": os.getpid(),
            "host": self.settings.host,
            "port": self.settings.port,
            "programs": [child.status() for child in self._children()],
        }


def run(settings: Settings, only: Range | None = None) -> int:
    """Be the supervisor of the installation in `settings.home` until stopped; returns the exit code."""
    if only is not None and (settings.database_url is None or settings.broker_url is None):
        raise NeedsServers
    home = settings.home.resolve()
    os.umask(0o077)
    machine.make_home(home)
    with (home / "run" / "supervisor.pid").open("a+") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(home=home) from None
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        if only is None:
            machine.clear(settings)
        else:
            machine.end_leftovers(home)
        return asyncio.run(_supervise(settings, only))


async def _supervise(settings: Settings, only: Range | None) -> int:
    return await Supervisor(settings, only).run()
