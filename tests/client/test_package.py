"""The client as a package of its own: what it imports, and the wheel that `make client` builds."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "service" / "client"
ALLOWED = {"httpx", "pydantic", "pydantic_core"}  # the last is a part of pydantic


def test_it_imports_httpx_and_pydantic_and_nothing_of_the_service() -> None:
    outside: set[str] = set()
    for path in CLIENT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                outside |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level <= 1, f"{path.name} reaches beyond the package"
                outside |= {(node.module or "").partition(".")[0]} if node.level == 0 else set()
    assert outside - set(sys.stdlib_module_names) == ALLOWED


def build(folder: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT / "deploy" / "client", check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = folder.glob("*.whl")
    return wheel


def test_the_wheel_is_the_same_each_time_and_works_without_the_service(tmp_path: Path) -> None:
    wheel, again = build(tmp_path / "a"), build(tmp_path / "b")
    assert wheel.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        metadata = opened.read(next(name for name in names if name.endswith("METADATA"))).decode()
        opened.extractall(tmp_path / "installed")
    assert {f"pharos/client/{path.relative_to(CLIENT)}" for path in CLIENT.rglob("*.py")} | {
        "pharos/client/py.typed"
    } == {name for name in names if name.startswith("pharos/")}
    needed = [line.partition(": ")[2] for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert {one.partition("<")[0] for one in needed} == {"httpx", "pydantic"}
    code = (
        "import sys; from pharos.client import Client, NotFound; Client('http://127.0.0.1:1')\n"
        "assert not [name for name in sys.modules if name.partition('.')[0] == 'service']\n"
        "print(Client.__module__)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "pharos.client.client"), done.stderr
