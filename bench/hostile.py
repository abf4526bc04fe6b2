"""What others notice while somebody attacks: slow clients and guessed passwords, then documents made to harm."""

import asyncio
import contextlib
import gzip
import io
import random
import socket
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

import httpx

from bench.machine import versions
from bench.report import Report, percentile
from bench.stack import Memory, Stack, pharos

SLOW = 250  # readers, and as many writers
TRIES = 10_000  # sign-ins
GUESSERS = 20  # of them at a time
USERS = 4  # real ones, each with a request every 100 ms
DOWNLOAD = 20 * 2**20  # bytes that a slow reader asks for
QUIET = 15.0  # seconds of looking without an attack
PATIENCE = 180.0  # seconds
WEB = 250  # MB


def run() -> Report:
    """Look at a quiet Pharos, then at one that is attacked."""
    report = Report(
        "hostile",
        "Under attack",
        f"{USERS} people search, read and change, each with a request every 100 ms, first alone; then beside {SLOW} "
        f"readers of a {DOWNLOAD // 2**20} MB download that take a byte a second, {SLOW} writers that send one, and "
        f"{TRIES:,} sign-ins with guessed passwords, {GUESSERS} at a time; then beside documents made to harm.",
    )
    report.details["versions"] = versions(("uvicorn", "starlette", "dramatiq", "asyncpg", "lxml", "pypdf", "pypdfium2"))
    with pharos(WORKERS="2") as stack:
        asyncio.run(_run(stack, report))
    return report


async def _run(stack: Stack, report: Report) -> None:
    async with httpx.AsyncClient(base_url=stack.url, headers=stack.headers, timeout=60) as admin:
        people = [await _person(stack, admin, number) for number in range(USERS)]
        file = await _upload(admin, "large.txt", random.Random(1).randbytes(DOWNLOAD // 2).hex().encode())
        ids = [await _create(admin, number) for number in range(40)]
        bombs = {name: make() for name, make in BOMBS.items()}  # before anything is measured
        folded = gzip.compress(b'{"title": "' + b"x" * 500_000_000 + b'"}')
        memory = Memory()
        async with _using(people, ids) as quiet:
            await asyncio.sleep(QUIET)
        with memory.watching(stack):
            async with _using(people, ids) as attacked, _slow(stack, file) as held:
                await asyncio.sleep(5)
                began = time.monotonic()
                statuses = await _guess(stack)
                minutes = (time.monotonic() - began) / 60
            async with _using(people, ids) as bombed:
                verdicts = await _bombs(admin, bombs, folded)
        for person in people:
            await person.aclose()
    report.check("slow connections that were open", len(held), 2 * SLOW)
    report.check("sign-in tries answered", sum(statuses.values()), TRIES)
    report.check("tries that reached a password are within the limit", statuses[401] <= 30 * (minutes + 1), True)
    report.check("tries that got in", statuses[200], 0)
    report.check("people who were refused or met an error", [*quiet.faults, *attacked.faults, *bombed.faults], [])
    report.check("bombs: what became of each", sorted(verdicts.items()), sorted(EXPECTED.items()))
    report.figure("sign-ins that reached a password", f"of {TRIES:,}", "", [statuses[401]])
    report.figure("sign-ins answered", f"of {TRIES:,}", "1/s", [TRIES / minutes / 60])
    report.details["sign-ins"] = {str(status): count for status, count in statuses.items()}
    _tell(report, quiet, attacked, bombed, memory)


def _tell(report: Report, quiet: "Uses", attacked: "Uses", bombed: "Uses", memory: Memory) -> None:
    for name, uses in (("quiet", quiet), ("slow clients and guesses", attacked), ("bombs", bombed)):
        report.figure("a request of real users, p50", name, "ms", [percentile(uses.times, 50)])
        report.figure("a request of real users, p95", name, "ms", [percentile(uses.times, 95)])
    for name, peak in memory.peaks.items():
        report.figure("memory, at most", f"Pharos, {name}", "MB", [peak])
    report.mark("p95 beside slow clients and guesses", percentile(attacked.times, 95), "at most", 200, "ms")
    ratio = percentile(bombed.times, 95) / percentile(quiet.times, 95)
    report.mark("p95 beside bombs to p95 quiet", ratio, "at most", 2, "x")
    report.mark("memory of web", memory.peaks["web"], "at most", WEB, "MB")


class Uses:
    """What real users met: milliseconds of each request, and every answer that was none."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.faults: list[str] = []


async def _person(stack: Stack, admin: httpx.AsyncClient, number: int) -> httpx.AsyncClient:
    name, password = f"person-{number}", "correct horse battery staple"
    made = await admin.post("/users", json={"username": name, "password": password, "role": "editor"})
    made.raise_for_status()
    person = httpx.AsyncClient(base_url=stack.url, timeout=60)
    token = (await person.post("/auth/login", json={"username": name, "password": password})).json()["token"]
    person.headers["Authorization"] = f"Bearer {token}"
    person.cookies.clear()
    return person


async def _create(client: httpx.AsyncClient, number: int) -> str:
    text = f"Lighthouse {number} stood before harbour {number % 7}. " * 50
    made = await client.post("/resources", json={"title": f"Lighthouse {number}", "content": text})
    return made.raise_for_status().json()["id"]


@asynccontextmanager
async def _using(people: list[httpx.AsyncClient], ids: list[str]) -> AsyncGenerator[Uses]:
    uses = Uses()
    working = [asyncio.create_task(_use(person, ids, uses, number)) for number, person in enumerate(people)]
    try:
        yield uses
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def _use(person: httpx.AsyncClient, ids: list[str], uses: Uses, number: int) -> None:
    chance = random.Random(number)
    while True:
        id = chance.choice(ids)
        match chance.randrange(5):
            case 0:
                request = person.build_request("PUT", f"/resources/{id}", json={"description": f"{chance.random()}"})
            case 1:
                request = person.build_request("GET", f"/resources/{id}")
            case _:
                request = person.build_request("GET", "/search", params={"query": f"harbour {chance.randrange(50)}"})
        began = time.perf_counter()
        answer = await person.send(request)
        uses.times.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            uses.faults.append(f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:200]}")
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _slow(stack: Stack, file: str) -> AsyncGenerator[list[socket.socket]]:
    headers = "".join(f"{name}: {value}\r\n" for name, value in stack.headers.items())
    read = f"GET /documents/{file}/download HTTP/1.1\r\nhost: x\r\n{headers}\r\n".encode()
    write = f"POST /resources HTTP/1.1\r\nhost: x\r\n{headers}content-length: 1000000\r\n\r\n".encode()
    held: list[socket.socket] = []
    loop = asyncio.get_running_loop()
    for number in range(2 * SLOW):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await loop.sock_connect(client, ("127.0.0.1", stack.port))
        await loop.sock_sendall(client, read if number < SLOW else write)
        held.append(client)

    async def trickle() -> None:
        while True:
            for number, client in enumerate(held):
                with contextlib.suppress(OSError):
                    client.recv(1) if number < SLOW else client.send(b" ")
            await asyncio.sleep(1)

    trickling = asyncio.create_task(trickle())
    try:
        yield held
    finally:
        trickling.cancel()
        for client in held:
            client.close()


async def _guess(stack: Stack) -> Counter[int]:
    statuses: Counter[int] = Counter()
    left = iter(range(TRIES))

    async def guess(client: httpx.AsyncClient) -> None:
        for number in left:
            body = {
                "username": f"person-{number % USERS}" if number % 3 else f"name-{number}",
                "password": f"guess {number}",
            }
            statuses[(await client.post("/auth/login", json=body)).status_code] += 1

    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as client:
        await asyncio.gather(*(guess(client) for _ in range(GUESSERS)))
    return statuses


async def _upload(client: httpx.AsyncClient, name: str, body: bytes) -> str:
    sent = await client.post("/documents", files=[("file", (name, body))])
    return sent.raise_for_status().json()["items"][0]["id"]


def _zip(entries: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return target.getvalue()


def _epub(chapter: bytes, package: bytes = b"") -> bytes:
    container = (
        b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        b'<rootfile full-path="b.opf"/></rootfiles></container>'
    )
    opf = package or (
        b'<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" '
        b'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>'
    )
    files = {"mimetype": b"application/epub+zip", "META-INF/container.xml": container, "b.opf": opf, "a.xhtml": chapter}
    return _zip(files)


def _pdf_of_streams() -> bytes:
    """Return a PDF whose page is a stream that unfolds to a gigabyte of drawing."""
    folded = zlib.compress(b"0 0 m 1 1 l S\n" * 70_000_000, 9)
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(folded), folded),
    ]
    out, places = bytearray(b"%PDF-1.5\n"), list[int]()
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start)


ENTITIES = b"<!DOCTYPE p [<!ENTITY a 'lol'>" + b"".join(
    b"<!ENTITY a%d '%s'>" % (number, (b"&a%d;" % (number - 1) if number else b"&a;") * 10) for number in range(9)
) + b"]><package>&a8;</package>"  # fmt: skip
BOMBS: dict[str, Callable[[], bytes]] = {
    "zip": lambda: _epub(bytes(300_000_000)),
    "nested zip": lambda: _epub(_zip({"b.zip": _zip({"c": bytes(100_000_000)})})),
    "pdf streams": _pdf_of_streams,
    "deep html": lambda: b"<!doctype html><title>Deep</title>" + b"<div>" * 400_000 + b"words " * 200,
    "entities": lambda: _epub(b"<html/>", ENTITIES),
    "regex": lambda: b"<!doctype html><title>R</title><p>" + b"((((((" * 300_000 + b"1.1." * 300_000 + b"a@" * 300_000,
    "one line": lambda: b"a" * 30_000_000,
}
EXPECTED = {
    **dict.fromkeys(BOMBS, "failed"),
    "100k parts": "4xx",
    "gzip body": "4xx",
}


async def _bombs(admin: httpx.AsyncClient, bombs: Mapping[str, bytes], folded: bytes) -> dict[str, str]:
    """Send each bomb, and an ordinary document after them; return whether each failed, was read, or was refused."""
    verdicts: dict[str, str] = {}
    ids: dict[str, str] = {}
    for name, bomb in bombs.items():
        ids[name] = await _upload(admin, f"{name}.bin", bomb)
    sibling = await _upload(admin, "sibling.txt", b"An ordinary text about lighthouses. " * 30)
    for name, id in (ids | {"sibling": sibling}).items():
        status = await _ended(admin, id)
        print(f"    {name}: {status['status']}: {status.get('error') or ''}", flush=True)
        verdicts[name] = "failed" if status["status"] == "failed" else "read"
        if name == "sibling" and status["status"] == "failed":
            raise RuntimeError("an ordinary document failed beside the bombs")
    verdicts.pop("sibling")
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nx\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    verdicts["100k parts"] = _kind(await admin.post("/documents", content=100_000 * part + b"--x--\r\n", headers=kind))
    kind = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    verdicts["gzip body"] = _kind(await admin.post("/resources", content=folded, headers=kind))
    return verdicts


def _kind(answer: httpx.Response) -> str:
    print(f"    {answer.status_code}: {answer.text[:200]}", flush=True)
    return f"{answer.status_code // 100}xx"


async def _ended(admin: httpx.AsyncClient, id: str) -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        status = (await admin.get(f"/documents/{id}/status")).raise_for_status().json()
        if status["status"] in ("failed", "ready", "indexed"):
            return status
        await asyncio.sleep(0.5)
    raise TimeoutError(f"document {id} did not end within {PATIENCE:g} s")
