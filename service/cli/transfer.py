"""Libraries of other programs in, and the library out."""

import stat
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from service.cli import adding
from service.cli.api import Api, Trouble

PAUSE = 0.5  # seconds between two looks
LARGEST = 2 * 2**30  # bytes that a ZIP may unpack to
MOST = 10_000  # files of a ZIP


def bring(api: Api, file: Path, format: str, tags: Sequence[str], *, private: bool) -> dict[str, Any]:
    """Send a file of another program, and return how its import stands."""
    fields = {"format": format, "tags": ",".join(tags), "private": str(private).lower()}
    started = api.upload("/import", file, fields)
    return api.get(f"/imports/{started['batch_id']}")


def wait(api: Api, shown: dict[str, Any]) -> dict[str, Any]:
    """Look until an import has ended."""
    while shown["state"] in ("pending", "adding"):
        time.sleep(PAUSE)
        shown = api.get(f"/imports/{shown['id']}")
    return shown


def add_files(api: Api, path: Path, *, private: bool) -> Iterator[adding.Added]:
    """Add the files of a folder or of a ZIP; raises Trouble for a ZIP that is broken or unpacks to too much."""
    if path.is_dir():
        yield from adding.add(api, adding.sort([str(path)]), private=private)
        return
    with tempfile.TemporaryDirectory(prefix="pharos-import-") as folder:
        _unpack(path, Path(folder))
        yield from adding.add(api, adding.sort([folder]), private=private)


def _unpack(path: Path, folder: Path) -> None:
    left = LARGEST
    try:
        with zipfile.ZipFile(path) as opened:
            members = opened.infolist()
            if len(members) > MOST:
                raise Trouble(f"{path} holds more than {MOST} files.", 2)
            for member in members:
                if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
                    continue
                target = (folder / member.filename.lstrip("/")).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise Trouble(f"{path} holds a file that would leave its folder: {member.filename}", 2)
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("wb") as file:
                    left -= _copy(source, file, left, path)  # pyright: ignore[reportArgumentType]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise Trouble(f"{path} cannot be unpacked: {error}", 2) from error


def _copy(source: BinaryIO, target: BinaryIO, left: int, path: Path) -> int:
    copied = 0
    while piece := source.read(2**20):
        copied += len(piece)
        if copied > left:
            raise Trouble(f"{path} unpacks to more than {LARGEST >> 30} GB.", 2)
        target.write(piece)
    return copied
