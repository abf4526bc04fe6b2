"""What a shell completes, with the command as it is installed: bash runs here, zsh and fish are asked as they ask."""

import asyncio
import os
import re
import shlex
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import ROOT

pytestmark = pytest.mark.integration
NOTE = {"title": "The lamp", "content": "The keeper lights the lamp.", "tags": ["lighthouse", "two words"]}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The command as `.ci/venv` writes it, in an installation whose code is this one's."""
    place = tmp_path / "installation"
    (place / ".venv" / "bin").mkdir(parents=True)
    (place / "service").symlink_to(ROOT / "service")
    script = re.search(
        r'cat >"\$folder/bin/pharos" <<END\n(.*?)^END$', (ROOT / ".ci" / "venv").read_text(), re.S | re.M
    )
    assert script is not None
    for name, text in (
        ("pharos", script[1].replace("\\$", "$")),
        ("python", f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'),
    ):
        file = place / ".venv" / "bin" / name
        file.write_text(text)
        file.chmod(0o755)
    return place / ".venv" / "bin"


async def shell(
    installed: Path, script: str, server: str = "http://127.0.0.1:1", **variables: str
) -> tuple[int, str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHAROS_", "BASH"))}
    environment = kept | {"PHAROS_SERVER": server, "PHAROS_TOKEN": "token of the admin"} | variables
    environment["PATH"] = f"{installed}:{kept['PATH']}"
    process = await asyncio.create_subprocess_exec(
        "bash", "--norc", "-c", script, cwd=installed, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def completed(installed: Path, line: str, server: str = "http://127.0.0.1:1") -> list[str]:
    """Return what bash offers after TAB at the end of a line."""
    words = line.split(" ")
    script = f"""
    eval "$(_PHAROS_COMPLETE=source_bash pharos)"
    complete -p pharos >&2 || exit 9
    COMP_WORDS=({" ".join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}
    _pharos_completion pharos
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    status, out, err = await shell(installed, script, server)
    assert (status, "_pharos_completion pharos" in err, "Traceback" in err) == (0, True, False), err
    return out.split("\n")[:-1]


async def test_commands_and_options(installed: Path) -> None:
    assert await completed(installed, "pharos sea") == ["search", "searches"]
    assert {"list", "show", "retry", "discard"} == set(await completed(installed, "pharos dlq "))
    assert await completed(installed, "pharos search lamp --mo") == ["--mode"]
    assert await completed(installed, "pharos search lamp --mode k") == ["keyword"]
    assert await completed(installed, "pharos export --format b") == ["bibtex"]


async def test_ids_collections_and_tags_are_asked_of_the_server(
    installed: Path, server: str, api: httpx.AsyncClient
) -> None:
    id = (await api.post("/resources", json=NOTE)).json()["id"]
    assert await completed(installed, f"pharos show {id[:8]}", server) == [id]
    assert await completed(installed, "pharos search lamp --tag li", server) == ["lighthouse"]
    assert await completed(installed, "pharos search lamp --tag two", server) == [""]  # it would need quotes
    await api.delete(f"/resources/{id}")
    assert await completed(installed, "pharos trash restore ", server) == [id]
    await api.post("/collections", json={"name": "Thesis"})
    spaced = (await api.post("/collections", json={"name": "My papers"})).json()["id"]
    assert set(await completed(installed, "pharos collections show ", server)) == {"Thesis", spaced}
    assert await completed(installed, "pharos export --collection Th", server) == ["Thesis"]


async def test_without_a_server_nothing_is_offered_and_nothing_is_said(installed: Path) -> None:
    assert await completed(installed, "pharos show ") == [""]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
async def test_every_shell_gets_its_script(installed: Path, shell_name: str) -> None:
    status, out, err = await shell(installed, f"_PHAROS_COMPLETE=source_{shell_name} pharos")
    assert (status, err) == (0, "")
    assert "_PHAROS_COMPLETE=complete_" in out
    assert re.search(r"complete .*pharos|compdef .* pharos", out)


async def test_zsh_and_fish_are_told_what_it_is(installed: Path, server: str, api: httpx.AsyncClient) -> None:
    await api.post("/collections", json={"name": "Thesis"})
    line = "pharos collections show Th"
    _, out, _ = await shell(installed, f"_PHAROS_COMPLETE=complete_zsh _TYPER_COMPLETE_ARGS='{line}' pharos", server)
    assert "Thesis" in out
    asked = "_TYPER_COMPLETE_FISH_ACTION=get-args"
    _, out, _ = await shell(
        installed, f"_PHAROS_COMPLETE=complete_fish {asked} _TYPER_COMPLETE_ARGS='{line}' pharos", server
    )
    assert out.startswith("Thesis\t")


async def test_it_installs_itself_into_a_home(installed: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    status, _, err = await shell(installed, "pharos --install-completion; exit $?", HOME=str(home))
    assert status == 0, err
    assert "_pharos_completion" in (home / ".bash_completions" / "pharos.sh").read_text()
    status, out, _ = await shell(installed, f"source {home}/.bashrc; complete -p pharos", HOME=str(home))
    assert (status, "_pharos_completion" in out) == (0, True)
