"""Live: an event of a worker at a browser, the memory of many sockets, and many messages to many of them."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx

from bench.machine import versions
from bench.report import Report, percentile
from bench.sockets import Plan, browsers
from bench.stack import Memory, Stack, pharos
from service import database, queue
from service.bus import EventBus
from service.database import transaction
from service.live.bell import ring
from service.outbox import Relay, emit
from service.queue.ledger import send_on
from service.search.events import SearchExecuted
from service.settings import settings

CHANGES = 100
IDLE = 2000
LISTENERS = 200
RATE = 500  # messages a second
SECONDS = 20
OF_ONE = 200  # sockets of an account
TURN = 0.02  # seconds between two commits of the flood


def run() -> Report:
    """Look at one event after the other, then at idle sockets, then at a flood."""
    report = Report(
        "live",
        "Events to browsers",
        f"{CHANGES} texts are added, and one WebSocket hears of each when a worker has indexed it; then {IDLE:,} "
        f"WebSockets are open at one web process, of accounts with {OF_ONE} each; then {LISTENERS} of them get "
        f"{RATE} messages a second for {SECONDS} s, which another process commits through the outbox. The delay is "
        "from the moment of the event, before its commit, to the receipt.",
    )
    report.details["versions"] = versions(("uvicorn", "uvloop", "starlette", "websockets", "asyncpg", "redis"))
    with pharos(WORKERS="1") as stack:
        asyncio.run(_run(stack, report))
    return report


async def _run(stack: Stack, report: Report) -> None:
    async with httpx.AsyncClient(base_url=stack.url, headers=stack.headers, timeout=60) as admin:
        tokens = [await _person(stack, admin, number) for number in range(max(1, -(-IDLE // OF_ONE)))]
        await _one_by_one(stack, admin, tokens, report)
        await _idle(stack, admin, tokens, report)
        await _flood(stack, tokens, report)


async def _person(stack: Stack, admin: httpx.AsyncClient, number: int) -> str:
    name, password = f"person-{number}", "correct horse battery staple"
    made = await admin.post("/users", json={"username": name, "password": password, "role": "reader"})
    made.raise_for_status()
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as person:
        return (await person.post("/auth/login", json={"username": name, "password": password})).json()["token"]


async def _one_by_one(stack: Stack, admin: httpx.AsyncClient, tokens: list[str], report: Report) -> None:
    plan = Plan(stack.port, tokens, 1, "search.index_updated", CHANGES)
    with browsers(plan) as opened:
        for number in range(CHANGES):
            text = {"title": f"Lighthouse {number}", "content": f"It stood before harbour {number}. " * 20}
            (await admin.post("/resources", json=text)).raise_for_status()
            await asyncio.sleep(0.05)
        outcome = await asyncio.to_thread(opened.outcome)
    report.check("texts that the browser heard of", outcome.fewest, CHANGES)
    for percent in (50, 95):
        at = percentile(outcome.delays, percent)
        report.figure(f"event in a worker to browser, p{percent}", "one WebSocket", "ms", [at])
    report.mark("event in a worker to browser, p95", percentile(outcome.delays, 95), "at most", 150, "ms")


async def _idle(stack: Stack, admin: httpx.AsyncClient, tokens: list[str], report: Report) -> None:
    web = {"web": stack.processes()["web"]}
    before, after = Memory(), Memory()
    before.look(web)
    began = time.monotonic()
    with browsers(Plan(stack.port, tokens, IDLE, "resource.created", 1)) as opened:
        report.figure(f"{IDLE:,} sockets open after", "Pharos", "s", [time.monotonic() - began])
        await asyncio.sleep(25)  # with a ping to each
        after.look(web)
        (await admin.post("/resources", json={"title": "The end", "content": "of the night"})).raise_for_status()
        outcome = await asyncio.to_thread(opened.outcome)
    report.check("idle sockets that heard of one change, once", (outcome.fewest, outcome.most), (1, 1))
    report.check("idle sockets still open", outcome.still_open, IDLE)
    report.figure("memory of web", "no sockets", "MB", [before.peaks["web"]])
    report.figure("memory of web", f"{IDLE:,} sockets", "MB", [after.peaks["web"]])
    report.mark(f"memory of web with {IDLE:,} idle sockets", after.peaks["web"], "at most", 250, "MB")


async def _flood(stack: Stack, tokens: list[str], report: Report) -> None:
    total = RATE * SECONDS
    plan = Plan(stack.port, tokens[:1], LISTENERS, "search.executed", total, patience=SECONDS + 60)
    with browsers(plan) as opened:
        async with _relaying(stack):
            began = time.monotonic()
            done = 0
            while done < total:
                due = min(total, int((time.monotonic() - began) * RATE))
                if due > done:
                    async with transaction() as session:
                        for number in range(done, due):
                            event = SearchExecuted(query=f"{number}", mode="keyword", results_count=0, latency_ms=0)
                            emit(session, event, audience=None)
                    done = due
                await asyncio.sleep(TURN)
            took = time.monotonic() - began
            outcome = await asyncio.to_thread(opened.outcome)
    report.check("messages that each got, once", (outcome.fewest, outcome.most), (total, total))
    report.check("listening sockets still open", outcome.still_open, LISTENERS)
    report.figure("messages sent", f"to {LISTENERS} sockets", "1/s", [total / took])
    for percent in (50, 95, 99):
        report.figure(f"delay, p{percent}", f"{LISTENERS} sockets", "ms", [percentile(outcome.delays, percent)])
    report.mark("messages a second", total / took, "at least", RATE * 0.98, "1/s")
    report.mark("delay of the flood, p99", percentile(outcome.delays, 99), "at most", 300, "ms")


@asynccontextmanager
async def _relaying(stack: Stack) -> AsyncGenerator[None]:
    """Carry what this process commits, as a worker does."""
    lines = (stack.home / "run" / "env").read_text().splitlines()
    ours = {name: value for name, _, value in (line.partition("=") for line in lines) if name.endswith("_URL")}
    os.environ.update(ours)
    settings.cache_clear()
    try:
        async with (
            database.connected("bench", 2, 2),
            queue.connected(),
            Relay(EventBus(), lambda envelope: (), send_on, ring).running(),
        ):
            yield
    finally:
        for name in ours:
            del os.environ[name]
        settings.cache_clear()
