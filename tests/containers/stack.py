"""A Pharos in containers, driven by its commands, over HTTP and by the engine's own."""

import http.client
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.embedded import free_port
from tests.containers.engine import Engine
from tests.installation import ROOT, until

# Answers pages; one under /held only once the file `go` is there.
ORIGIN = """
import http.server, pathlib, time
class Site(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        while self.path.startswith("/held") and not pathlib.Path("go").exists():
            time.sleep(0.05)
        self.path = "/" + self.path.split("/")[-1]
        super().do_GET()
http.server.ThreadingHTTPServer(("", 8000), Site).serve_forever()
"""


def page(title: str, words: str) -> str:
    """Return a page that is worth reading."""
    text = "".join(
        f"<p>{words} The {n}th paragraph tells more of {title}, as the ones before it did.</p>" for n in range(9)
    )
    body = f"<article><h1>{title}</h1>{text}</article>"
    return f"<html lang=en><head><title>{title}</title></head><body>{body}</body></html>"


@dataclass(frozen=True)
class Stack:
    """Containers of one project, with a home of their own."""

    engine: Engine
    home: Path
    port: int
    operations_port: int
    settings: Mapping[str, str]

    @property
    def project(self) -> str:
        found = re.search(r"COMPOSE_PROJECT_NAME=(\S+)", (self.home / "compose.env").read_text())
        assert found is not None
        return found[1]

    def secret(self, name: str) -> str:
        found = re.search(rf"PHAROS_{name}=(\S+)", (self.home / "compose.env").read_text())
        assert found is not None
        return found[1]

    def pharos(self, *command: str, **settings: str) -> str:
        """Run a command of `make`; AssertionError with what it says where it fails."""
        done = self.start(*command, **settings)
        said = done.communicate(timeout=600)[0]
        assert done.returncode == 0, said
        return said

    def start(self, *command: str, **settings: str) -> subprocess.Popen[str]:
        environment = {**self.engine.environment, **self.settings, **settings}
        return subprocess.Popen(
            [sys.executable, "-m", "workers.supervisor", *command],
            cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def docker(self, *command: str, check: bool = True) -> str:
        return self.engine.run("docker", *command, check=check).strip()

    def containers(self, service: str) -> list[str]:
        labels = (f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}")
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        return self.docker("ps", "-q", *filters).split()

    def inspect(self, container: str) -> dict[str, Any]:
        return json.loads(self.docker("inspect", container))[0]

    def healthy(self, service: str) -> bool:
        states = [self.inspect(container)["State"] for container in self.containers(service)]
        return bool(states) and all(state.get("Health", {}).get("Status") == "healthy" for state in states)

    def call(self, method: str, path: str, body: Any = None, port: int | None = None) -> tuple[int, Any]:
        """Ask a published port, that of the web server unless given, as the admin."""
        status, answer = self._ask(method, path, body, port)
        return status, json.loads(answer or b"null")

    def text(self, path: str, port: int | None = None) -> str:
        """Return a page."""
        return self._ask("GET", path, None, port)[1].decode()

    def _ask(self, method: str, path: str, body: Any, port: int | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.secret('ADMIN_TOKEN')}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def found(self, words: str) -> list[str]:
        """Return the titles that a search finds."""
        status, answer = self.call("GET", f"/search?query={words}&limit=100")
        return [item.get("title") or item["resource"]["title"] for item in answer["items"]] if status == 200 else []

    def workers(self) -> list[dict[str, Any]]:
        return self.call("GET", "/workers/status")[1]["workers"]

    def idle(self) -> bool:
        """Tell whether nothing waits or runs; what is scheduled for later may be there."""
        queues = self.call("GET", "/workers/status")[1]["queues"]
        return all(queue["waiting"] == queue["running"] == 0 for queue in queues)


@contextmanager
def site(stack: Stack, pages: Mapping[str, str]) -> Iterator[str]:
    """Serve pages at http://origin:8000/ to the containers; yields the container, whose folder is /site."""
    folder = stack.home / f"site-{secrets.token_hex(3)}"
    folder.mkdir()
    for name, text in pages.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    folder.chmod(0o755)
    container = stack.docker(
        "run", "-d", "--network", f"{stack.project}_outside", "--network-alias", "origin", "--init",
        "-w", "/site", "pharos-test:latest", "python", "-c", ORIGIN,
    )  # fmt: skip
    stack.docker("cp", f"{folder}/.", f"{container}:/site")
    try:
        yield container
    finally:
        stack.docker("rm", "-f", container)


@contextmanager
def up(engine: Engine, home: Path) -> Iterator[Stack]:
    """Run `make up` in a folder, and leave nothing of it."""
    port, operations_port = free_port(), free_port()
    settings = {
        "PHAROS_HOME": str(home), "PHAROS_PORT": str(port), "PHAROS_OPERATIONS_PORT": str(operations_port),
        "PHAROS_MODE": "compose", "PHAROS_SIZE": "small",
        "PHAROS_WORKERS": "2", "PHAROS_IMAGE": "pharos-test:latest", "PHAROS_EGRESS_ALLOW": "origin:8000",
        "COMPOSE_PROGRESS": "quiet", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    stack = Stack(engine, home, port, operations_port, settings)
    try:
        stack.pharos("up")
        yield stack
    except BaseException:
        if (home / "compose.env").exists():
            print(engine.run("docker", "ps", "-a", check=False))
        raise
    finally:
        if (home / "compose.env").exists():
            command = ["docker", "compose", "-f", "compose.yaml", "--env-file", str(home / "compose.env"), "down", "-v"]
            subprocess.run([*command, "-t", "3"], cwd=ROOT, env={**engine.environment, **settings}, check=False)


def wait(condition: Any, seconds: float = 120) -> None:
    assert until(condition, seconds)
