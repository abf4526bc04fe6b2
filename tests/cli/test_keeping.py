"""`pharos backup`, `restore` and `check` as processes of their own, on an installation with the embedded server."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest

from service.embedded import Postgres, running
from service.migrations import migrate

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]


async def pharos(home: Path, *arguments: str) -> tuple[int | None, str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PHAROS_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service.cli", *arguments, cwd=home, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env={**kept, "PYTHONPATH": str(ROOT), "PHAROS_HOME": str(home / "home")},
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.timeout(300)
async def test_a_stopped_installation_is_backed_up_checked_and_restored_elsewhere(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    server = Postgres(here / "home" / "postgres")
    with (tmp_path / "log").open("ab") as log, running(server, log):
        await migrate(server.url())
        connection = await asyncpg.connect(server.url())
        await connection.execute("INSERT INTO users (id, username, role) VALUES (gen_random_uuid(), 'ada', 'admin')")
        await connection.execute("DELETE FROM categories")  # whose meaning a worker would make
        await connection.close()
    status, out, err = await pharos(here, "backup", "library.tar.gz")
    assert (status, "Pharos does not run" in err) == (0, True), err
    assert out.startswith("library.tar.gz: ")
    assert (await pharos(here, "backup", "library.tar.gz"))[0] == 1
    status, out, err = await pharos(here, "check")
    assert (status, out) == (0, "Everything fits together.\n"), out + err
    file = str(here / "library.tar.gz")
    status, out, err = await pharos(there, "restore", file)
    assert status == 0, err
    assert "`make up` starts it" in out
    status, out, err = await pharos(there, "restore", str(tmp_path / "log"))
    assert (status, "is not a backup of Pharos" in err) == (1, True)
    assert "Traceback" not in err
