"""What Pharos is made of is known: every package with its licence, and a bill of materials."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKED = re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_every_package_is_listed_with_its_licence() -> None:
    listed = re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", (ROOT / "docs" / "licences.md").read_text(), re.MULTILINE)
    assert [(name, version) for name, version, _ in listed if name != "package"] == LOCKED, "run `make docs`"


def test_every_package_comes_with_its_hash() -> None:
    parts = re.split(r"^(?=[a-z0-9._-]+==)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    assert [part.split("\n")[0] for part in parts if "==" in part and "--hash=sha256:" not in part] == []


def test_the_bill_of_materials_names_every_package(tmp_path: Path) -> None:
    program, file = Path(sys.executable).with_name("cyclonedx-py"), tmp_path / "sbom.json"
    command = [program, "requirements", ROOT / "requirements.lock", "--output-reproducible", "--output-file", file]
    subprocess.run(command, check=True, capture_output=True)
    made = json.loads(file.read_text())
    assert made["bomFormat"] == "CycloneDX"
    assert {(part["name"], part["version"]) for part in made["components"]} == set(LOCKED)
