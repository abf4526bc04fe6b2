"""The model server computes on as many processors as its container has."""

import os
from pathlib import Path

import pytest

from workers.inference.server import processors


@pytest.mark.parametrize(("said", "most"), [("100000 100000", 1), ("50000 100000", 1), ("max 100000", 10**6)])
def test_a_share_of_the_processors(tmp_path: Path, said: str, most: int) -> None:
    (tmp_path / "cpu.max").write_text(f"{said}\n")
    assert processors(tmp_path / "cpu.max") == min(most, len(os.sched_getaffinity(0)))


def test_without_a_container_all_of_them(tmp_path: Path) -> None:
    assert processors(tmp_path / "none") == len(os.sched_getaffinity(0))
