"""In containers or embedded: the first `up` chooses, later ones keep it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from service.settings import Settings
from workers.supervisor import mode
from workers.supervisor.compose import make_secrets, size

Machine = Callable[[int], None]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Puts a `docker` into the path, which ends with the code that it is called with."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def answers(code: int) -> None:
        program = tmp_path / "docker"
        program.write_text(f'#!/bin/sh\necho \'{{"NCPU": 2, "MemTotal": 99000000000}}\'\nexit {code}\n')
        program.chmod(0o755)

    return answers


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def of(home: Path, **given: object) -> Settings:
    return Settings(_env_file=None, home=home, **given)  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_an_engine_that_answers_is_used(home: Path, engine: Machine) -> None:
    engine(0)
    assert mode.choose(of(home)) == "compose"
    assert (home / "mode").read_text() == "compose\n"


def test_without_an_engine_it_is_embedded_and_stays_so(home: Path, engine: Machine) -> None:
    assert mode.choose(of(home)) == "embedded"
    engine(0)
    assert mode.choose(of(home)) == "embedded"
    assert mode.current(of(home)) == "embedded"


def test_an_engine_that_does_not_answer_is_none(home: Path, engine: Machine) -> None:
    engine(1)
    assert mode.choose(of(home)) == "embedded"


def test_a_library_that_is_there_stays_embedded(home: Path, engine: Machine) -> None:
    engine(0)
    (home / "postgres").mkdir()
    assert mode.choose(of(home)) == "embedded"


def test_named_servers_are_used_embedded(home: Path, engine: Machine) -> None:
    engine(0)
    assert mode.choose(of(home, database_url="postgresql://elsewhere/pharos")) == "embedded"


def test_what_is_asked_for_decides_and_is_kept(home: Path, engine: Machine) -> None:
    engine(0)
    assert mode.choose(of(home, mode="embedded")) == "embedded"
    assert mode.choose(of(home)) == "embedded"
    assert mode.choose(of(home, mode="compose")) == "compose"
    assert mode.current(of(home)) == "compose"


def test_containers_without_an_engine_are_explained(home: Path, engine: Machine) -> None:
    with pytest.raises(mode.NoEngine, match="MODE=embedded"):
        mode.choose(of(home, mode="compose"))
    assert not (home / "mode").exists()


def test_secrets_are_made_once_for_their_owner_only(home: Path) -> None:
    make_secrets(home)
    first = (home / "compose.env").read_text()
    assert (home / "compose.env").stat().st_mode & 0o777 == 0o600
    values = [line.partition("=")[2] for line in first.splitlines()]
    assert len({*values}) == len(values) >= 6
    make_secrets(home)
    assert (home / "compose.env").read_text() == first
    assert (home / "admin-token").read_text() in first


def test_a_small_machine_gets_small_limits(home: Path, engine: Machine) -> None:
    engine(0)  # of two processors
    assert size(of(home)) == "small"
    assert size(of(home, size="full")) == "full"
