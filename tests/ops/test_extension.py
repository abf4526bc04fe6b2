"""The packed extension is whole: what its files name is there, it runs no code from elsewhere, it may do little."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


def packed(target: Path) -> Path:
    subprocess.run([sys.executable, ROOT / ".ci" / "extension", target], check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What is in the zip, by name."""
    with ZipFile(packed(tmp_path_factory.mktemp("extension") / "pharos-extension.zip")) as read:
        assert read.testzip() is None
        return {name: read.read(name) for name in read.namelist()}


def texts(files: dict[str, bytes], *kinds: str) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items() if name.endswith(kinds)}


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    first = packed(tmp_path / "one.zip").read_bytes()
    assert packed(tmp_path / "two.zip").read_bytes() == first


def test_the_manifest_asks_for_little(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    assert manifest["manifest_version"] == 3
    assert manifest["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert sorted(manifest["permissions"]) == ["activeTab", "contextMenus", "scripting", "storage"]
    assert manifest["optional_host_permissions"] == ["http://*/*", "https://*/*"]  # the library's, once it is known
    assert not {"host_permissions", "content_scripts", "web_accessible_resources", "externally_connectable"} & {
        *manifest
    }
    policy = manifest["content_security_policy"]["extension_pages"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_what_is_named_is_there(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    named = {
        manifest["background"]["service_worker"],
        manifest["action"]["default_popup"],
        manifest["options_ui"]["page"],
        *manifest["icons"].values(),
        *manifest["action"]["default_icon"].values(),
        f"_locales/{manifest['default_locale']}/messages.json",
    }
    for page in texts(files, ".html").values():
        named |= set(re.findall(r'(?:src|href)="([^"]+)"', page))
    for module in texts(files, ".js").values():
        named |= {name.removeprefix("./") for name in re.findall(r'^import (?:.+ from )?"(.+)";$', module, re.M)}
    assert named - files.keys() == set()
    assert files.keys() - named - {"manifest.json"} == set()


def test_no_code_comes_from_elsewhere(files: dict[str, bytes]) -> None:
    remote = re.compile(
        r"""(?:src|href)=["']?(?:https?:)?//|\beval\(|new Function|\bimport\(|importScripts|innerHTML"""
    )
    assert [name for name, text in texts(files, ".js", ".html").items() if remote.search(text)] == []
    assert [name for name, text in texts(files, ".html").items() if re.search(r"<script(?![^>]*\bsrc=)", text)] == []
    assert [name for name, text in texts(files, ".css").items() if re.search(r"@import|url\(", text)] == []


def test_every_word_is_there_and_used(files: dict[str, bytes]) -> None:
    words = json.loads(files["_locales/en/messages.json"])
    everything = "\n".join(texts(files, ".js", ".html", "manifest.json").values())
    used = set(re.findall(r'data-word="(\w+)"|\bword\("(\w+)"|__MSG_(\w+)__', everything))
    assert {"".join(one) for one in used} <= words.keys()
    assert [key for key in words if not re.search(rf'"{key}"|__MSG_{key}__', everything)] == []
