"""How Pharos runs here: in containers or embedded. Chosen by the first `up`, kept in `<home>/mode` from then on."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from service.embedded.process import private_file
from service.errors import PharosError
from service.settings import Settings

Mode = Literal["compose", "embedded"]

_PATIENCE = 10.0  # seconds in which a container engine answers


class NoEngine(PharosError):
    """Pharos runs in containers here ({reason}), but no container engine with Compose answers: `docker info` and
    `docker compose version` say why. Start the engine, or: make up MODE=embedded (which has a library of its own)."""


def kept(settings: Settings) -> Mode | None:
    """Return what an earlier `up` chose; a library that is there without a choice is an embedded one."""
    home = settings.home.resolve()
    try:
        return "compose" if (home / "mode").read_text().strip() == "compose" else "embedded"
    except FileNotFoundError:
        return "embedded" if (home / "postgres").exists() or (home / "run").exists() else None


def current(settings: Settings) -> Mode:
    """Return how Pharos runs here, for every command but `up`: what was asked for, else what was chosen."""
    return settings.mode or kept(settings) or "embedded"


def choose(settings: Settings) -> Mode:
    """Choose for `up`, keep it, and raise NoEngine where it cannot be.

    Containers where an engine answers, unless PHAROS_MODE says otherwise, a library is here already, or the servers are
    named by their addresses. Once chosen, an engine that is installed later changes nothing.
    """
    before = kept(settings)
    servers = settings.database_url is not None or settings.broker_url is not None
    mode = settings.mode or before or ("compose" if not servers and engine_answers() else "embedded")
    if mode == "compose" and not engine_answers():
        raise NoEngine(reason="PHAROS_MODE" if settings.mode else settings.home / "mode")
    private_file(settings.home.resolve() / "mode", f"{mode}\n")
    return mode


def engine_answers() -> bool:
    """Tell whether `docker` is here, with Compose, and its engine answers."""
    if shutil.which("docker") is None:
        return False
    return all(_succeeds("docker", *words) for words in (("compose", "version"), ("info",)))


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=_PATIENCE, cwd=Path("/"), env=os.environ
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
