"""What `GET /metrics` tells; docs/monitoring.md says what each figure means.

What is shared comes from Redis and PostgreSQL and is the same whichever process answers. What is of one process is of
the one that answers, and labelled with its pid: several behind one address do not mix.
"""

import asyncio
import os
import resource
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import perf_counter

import psutil
import structlog

from service import lag, queue, requests
from service.backups import actions as backups
from service.cache.cache import cache
from service.cache.local import local
from service.database import pool_status, reading
from service.live.hub import NoHub, present
from service.monitoring.exposition import Family, written
from service.monitoring.readiness import readiness
from service.outbox import backlog
from service.queue import figures
from service.queue.durations import BOUNDS, by_bound

log = structlog.get_logger(__name__)

PATIENCE = 2.0  # seconds for one source

Source = Callable[[], Awaitable[list[Family]]]


async def _queues() -> list[Family]:
    tasks = Family("pharos_queue_tasks", "gauge", "Tasks of a queue, by state.")
    age = Family("pharos_queue_oldest_age_seconds", "gauge", "Age of the task that waits longest in a queue.")
    paused = Family("pharos_queue_paused", "gauge", "1 where nothing is taken from a queue.")
    dead = Family("pharos_dead_letters", "gauge", "Tasks of a queue that failed for good and were not dealt with.")
    for one in await queue.queue_status():
        for state in ("scheduled", "waiting", "running"):
            tasks.add(getattr(one, state), queue=one.name, state=state)
        age.add(one.oldest_age_s, queue=one.name)
        paused.add(one.paused, queue=one.name)
        dead.add(one.dead, queue=one.name)
    return [tasks, age, paused, dead]


async def _tasks() -> list[Family]:
    tries = Family("pharos_task_tries_total", "counter", "Tries of tasks that ended, by outcome, over all workers.")
    retries = Family("pharos_task_retries_total", "counter", "Tries that failed and were followed by another.")
    failures = Family("pharos_task_failures_total", "counter", "Tasks that failed for good.")
    times = Family("pharos_task_duration_seconds", "histogram", "Time that a try of a task took.")
    for (queue_name, task), one in sorted((await figures.totals()).items()):
        labels = {"queue": queue_name, "task": task}
        for outcome, count in sorted(one.outcomes.items()):
            tries.add(count, **labels, outcome=outcome)
        retries.add(one.outcomes[figures.RETRIED], **labels)
        failures.add(one.outcomes["failed"], **labels)
        times.distribution(BOUNDS, by_bound(one.durations), one.seconds, **labels)
    return [tries, retries, failures, times]


async def _workers() -> list[Family]:
    active = Family("pharos_worker_active_tasks", "gauge", "Tasks that a worker runs now.")
    places = Family("pharos_worker_concurrency", "gauge", "Tasks that a worker runs at most.")
    memory = Family("pharos_worker_resident_memory_bytes", "gauge", "Memory of a worker.")
    beat = Family("pharos_worker_heartbeat_age_seconds", "gauge", "Time since a worker's last sign of life.")
    lost = Family("pharos_workers_lost", "gauge", "Workers that ended without a farewell in the last ten minutes.")
    for worker in await queue.worker_status():
        labels = {"worker": worker.id, "host": worker.host}
        active.add(len(worker.active), **labels)
        places.add(worker.concurrency, **labels)
        memory.add(worker.rss_mb * 2**20, **labels)
        beat.add(worker.heartbeat_age_s, **labels)
    lost.add(len(await queue.lost_workers(600)))
    return [active, places, memory, beat, lost]


async def _timetable() -> list[Family]:
    silence = Family("pharos_timetable_silence_seconds", "gauge", "Time since the timetable looked at its clock.")
    last = Family("pharos_schedule_last_timestamp_seconds", "gauge", "Last time that a line's task was sent.")
    following = Family("pharos_schedule_next_timestamp_seconds", "gauge", "Next time that a line's task is sent.")
    if (age := await queue.scheduler_age()) is not None:
        silence.add(age)
    for line in await queue.schedules():
        if line.last is not None:
            last.add(line.last.timestamp(), task=line.name)
        following.add(line.next.timestamp(), task=line.name)
    return [silence, last, following]


async def _outbox() -> list[Family]:
    waiting = Family("pharos_outbox_events", "gauge", "Events that are committed and not yet carried on.")
    age = Family("pharos_outbox_oldest_age_seconds", "gauge", "Age of the oldest of these.")
    async with reading() as session:
        count, seconds = await backlog(session)
    waiting.add(count)
    age.add(max(0.0, seconds))
    return [waiting, age]


async def _cache() -> list[Family]:
    hits = Family("pharos_cache_hits_total", "counter", "Values that the shared cache had.")
    misses = Family("pharos_cache_misses_total", "counter", "Values that the shared cache did not have.")
    forgotten = Family("pharos_cache_invalidations_total", "counter", "Values that were forgotten.")
    saved = Family("pharos_cache_saved_seconds", "gauge", "Computation that hits spared, since it was last emptied.")
    first = Family("pharos_cache_local_requests_total", "counter", "Looks into the caches within processes.")
    entries = Family("pharos_cache_local_entries", "gauge", "Values in the cache of the process that answers.")
    size = Family("pharos_cache_local_bytes", "gauge", "Size of these values.")
    known = await cache.read_statistics()
    for prefix, one in known["by_prefix"].items():
        hits.add(one["hits"], prefix=prefix)
        misses.add(one["misses"], prefix=prefix)
        forgotten.add(one["invalidations"], prefix=prefix)
        saved.add(one["saved_seconds"], prefix=prefix)
    first.add(known["l1"]["hits"], result="hit")
    first.add(known["l1"]["misses"], result="miss")
    entries.add(len(local), pid=_pid())
    size.add(local.size, pid=_pid())
    return [hits, misses, forgotten, saved, first, entries, size]


async def _pool() -> list[Family]:
    used = Family(
        "pharos_pool_connections", "gauge", "Connections to PostgreSQL of the process that answers, by state."
    )
    most = Family("pharos_pool_max_connections", "gauge", "Connections that this process opens at most.")
    status = pool_status()
    used.add(status.checked_out, state="in_use", pid=_pid())
    used.add(status.checked_in, state="idle", pid=_pid())
    most.add(status.max_connections, pid=_pid())
    return [used, most]


async def _requests() -> list[Family]:
    answers = Family("pharos_http_requests_total", "counter", "Requests that were answered, by route and status.")
    times = Family("pharos_http_request_duration_seconds", "histogram", "Time until the answer of a request began.")
    for (method, route), one in sorted(requests.answered.items()):
        labels = {"method": method, "route": route, "pid": _pid()}
        for status, count in sorted(one.statuses.items()):
            answers.add(count, **labels, status=str(status))
        times.distribution(requests.BOUNDS, one.buckets, one.seconds, **labels)
    return [answers, times]


async def _process() -> list[Family]:
    process, pid = psutil.Process(), _pid()
    gauges = {
        "process_resident_memory_bytes": ("Memory of the process that answers.", process.memory_info().rss),
        "process_open_fds": ("Its open files, sockets among them.", process.num_fds()),
        "process_max_fds": ("Open files that it may have.", resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        "process_start_time_seconds": ("When it began.", process.create_time()),
        "pharos_event_loop_lag_seconds": ("Greatest lateness of its event loop in half a minute.", lag.greatest()),
    }
    with suppress(NoHub):
        gauges["pharos_event_streams"] = ("WebSockets and event streams that it serves.", len(present().listeners))
    found = [Family(name, "gauge", text) for name, (text, _) in gauges.items()]
    for family, (_, value) in zip(found, gauges.values(), strict=True):
        family.add(value, pid=pid)
    cpu, times = Family("process_cpu_seconds_total", "counter", "Processor time that it took."), process.cpu_times()
    cpu.add(times.user + times.system, pid=pid)
    return [*found, cpu]


async def _checks() -> list[Family]:
    state = Family("pharos_check_ok", "gauge", "1 where a check of /ready finds nothing to say.")
    is_ready = Family("pharos_ready", "gauge", "1 where /ready answers 200.")
    verdict = await readiness()
    for name, check in verdict.checks.items():
        state.add(check["ok"] and "warning" not in check, check=name)
    is_ready.add(verdict.ready)
    return [state, is_ready]


async def _backups() -> list[Family]:
    last = Family("pharos_backup_last_timestamp_seconds", "gauge", "When the last nightly backup was complete.")
    size = Family("pharos_backup_last_size_bytes", "gauge", "Size of the last nightly backup.")
    async with reading() as session:
        newest = await backups.newest(session)
    if newest is not None and newest.ended_at is not None:
        last.add(newest.ended_at.timestamp())
        size.add(newest.size or 0)
    return [last, size]


SOURCES: dict[str, Source] = {
    "queues": _queues,
    "tasks": _tasks,
    "workers": _workers,
    "timetable": _timetable,
    "outbox": _outbox,
    "cache": _cache,
    "pool": _pool,
    "requests": _requests,
    "process": _process,
    "checks": _checks,
    "backups": _backups,
}


async def exposed() -> str:
    """Return all figures; where a source is away its own are missing, and `pharos_source_ok` says so."""
    began = perf_counter()
    taken = await asyncio.gather(*(_guarded(name, source) for name, source in SOURCES.items()))
    well = Family("pharos_source_ok", "gauge", "1 where the figures of a source could be read.")
    for name, found in zip(SOURCES, taken, strict=True):
        well.add(found is not None, source=name)
    took = Family("pharos_scrape_duration_seconds", "gauge", "Time that reading all of this took.")
    took.add(perf_counter() - began)
    return written([*(family for found in taken for family in found or ()), well, took])


async def _guarded(name: str, source: Source) -> list[Family] | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await source()
    except Exception as error:  # whatever a client library raises: the others' figures are told
        log.warning("figures are missing", source=name, error=repr(error))
        return None


def _pid() -> str:
    return str(os.getpid())
