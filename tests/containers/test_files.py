"""The files are what Compose and hadolint take for right."""

import pytest

from tests.containers.engine import GIVEN, Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

ADDRESSES = ("WORKER_DATABASE_URL", "BROKER_URL", "CACHE_URL")


@pytest.mark.parametrize("more", ["", "small", "servers"])
def test_compose_takes_the_files(engine: Engine, more: str) -> None:
    files = ["-f", "compose.yaml", *(["-f", f"deploy/compose.{more}.yaml"] if more else [])]
    given = [*GIVEN, "PHAROS_SERVERS_HOST=10.0.0.1"]
    assert engine.run("env", *given, "docker", "compose", *files, "--profile", "*", "config", "--services")


def test_compose_takes_the_file_of_workers(engine: Engine) -> None:
    given = [f"PHAROS_{name}=x" for name in ADDRESSES]
    file = "deploy/compose.workers.yaml"
    assert "worker" in engine.run("env", *given, "docker", "compose", "-f", file, "config", "--services")


def test_nothing_starts_without_secrets(engine: Engine) -> None:
    with pytest.raises(AssertionError, match="make up makes it"):
        engine.run("docker", "compose", "-f", "compose.yaml", "--env-file", "/dev/null", "config", "-q")


def test_hadolint_finds_nothing(engine: Engine) -> None:
    if engine.hadolint is None:
        pytest.skip("hadolint is not installed here")
    assert engine.run(engine.hadolint, "Containerfile") == ""
