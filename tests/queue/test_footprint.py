"""What the processes around the queue must not load."""

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["onnxruntime", "tokenizers", "numpy", "trafilatura", "lxml", "httpx", "sqlalchemy", "redis"]


@pytest.mark.parametrize("package", ["workers", "schedules", "service.queue"])
def test_entry_points_stay_light(package: str) -> None:
    code = f"import sys, {package}; print(*sorted(set(sys.modules) & {set(HEAVY)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
