"""Where and with what a benchmark ran."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil


def machine() -> dict[str, Any]:
    """Describe this machine, and how busy others keep it: figures of a busy machine are worth their ratios only."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), ""
    )
    return {
        "cpu": cpu or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "busy_percent_before": psutil.cpu_percent(interval=2),
        "date": datetime.now(UTC).date().isoformat(),
    }


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of these packages of the product."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in distributions}}


def locked(lock: Path, distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions that a lock file pins."""
    pinned = dict(line.split()[0].split("==") for line in _lines(lock) if "==" in line and not line.startswith(" "))
    return {name: pinned[name] for name in distributions}


def _lines(file: str | Path) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except FileNotFoundError:
        return []
