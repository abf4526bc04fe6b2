"""The tutorial, replayed command by command in a fresh copy of the files: what the page says happens."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from service.embedded import free_port
from workers.supervisor.programs import MARK

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
ASKS = re.compile(r"\.venv/bin/pharos (show|search|status)\b|make status$|api \$LIBRARY/\S+$")
PATIENCE = 90  # seconds until what is asked again must be there


class Shell:
    """One shell that keeps its variables, as a reader's terminal does."""

    def __init__(self, folder: Path, port: int) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHAROS_", "MAKE"))}
        self._process = subprocess.Popen(
            ["bash"], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=kept | {"PHAROS_PORT": str(port), "PHAROS_MODE": "embedded"}, start_new_session=True,
        )  # fmt: skip

    def run(self, commands: str) -> tuple[str, int]:
        """Run a block and return what it prints, and the status of its last command."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        mark = secrets.token_hex(8)
        self._process.stdin.write(f"{commands}\necho; echo {mark} $?\n")
        self._process.stdin.flush()
        printed = ""
        while not (end := re.search(rf"^{mark} (\d+)\n", printed, re.MULTILINE)):
            line = self._process.stdout.readline()
            assert line, printed
            printed += line
        return printed[: end.start()], int(end[1])

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A copy of the files of this checkout, with an environment that has what the lock files name."""
    folder = Path(tempfile.mkdtemp(prefix="pharos-tutorial-"))
    folder.chmod(0o755)  # the embedded PostgreSQL runs as another user when Pharos runs as root
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    environment = folder / ".venv"
    (environment / "bin").mkdir(parents=True)
    for program in (Path(sys.prefix) / "bin").iterdir():
        if program.name != "pharos":
            (environment / "bin" / program.name).symlink_to(program)
    (environment / "lib").symlink_to(Path(sys.prefix) / "lib")
    shutil.copy2(Path(sys.prefix) / "pyvenv.cfg", environment)
    shutil.copy2(Path(sys.prefix) / "bin" / "pharos", environment / "bin")
    lock = (folder / "requirements.lock").read_bytes()
    summed = subprocess.run(["cksum"], input=lock, capture_output=True, check=True).stdout.decode()
    (environment / f"requirements.lock.{summed.split()[0]}").touch()  # as .ci/venv leaves it
    try:
        yield folder
    finally:
        for process in psutil.process_iter():
            with _gone():
                if process.environ().get(MARK, "").startswith(str(folder)):
                    process.kill()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except psutil.Error:
        pass


def shown(block: str, printed: str) -> str | None:
    """Return the first line of an expected output that was not printed, after the lines before it; None if all were."""
    rest = printed
    for line in filter(None, block.split("\n")):
        parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
        found = re.search(r"[^\n]*?".join(parts), rest)
        if found is None:
            return line
        rest = rest[found.end() :]
    return None


def test_the_page_is_what_happens(checkout: Path) -> None:
    ports = {"8000": str(free_port()), "8765": str(free_port())}
    page = re.sub(r"(?<=[: ])(8000|8765)\b", lambda found: ports[found[0]], PAGE.read_text())
    blocks = BLOCK.findall(page)
    assert len(blocks) > 15
    shell = Shell(checkout, int(ports["8000"]))
    try:
        for commands, expected in blocks:
            last = commands.strip().split("\n")[-1]
            until = time.monotonic() + (PATIENCE if ASKS.match(last) else 0)
            printed, status = shell.run(commands)
            while missing := shown(expected, printed):
                assert time.monotonic() < until, f"{commands}prints no {missing!r}, but\n{printed}"
                time.sleep(0.5)
                printed, status = shell.run(last)
            assert status == 0, f"{commands}ends with {status}:\n{printed}"
    finally:
        shell.run("kill $SITE 2>/dev/null; make down")
        shell.close()


def test_an_output_that_differs_is_noticed() -> None:
    assert shown("a … c\nd", "a b c\n d\n") is None
    assert shown("a … c\nd", "a b\nc d") == "a … c"
    assert shown("d\na", "a\nd\n") == "a"
    assert shown("1.5 s", "1x5 s") == "1.5 s"
