"""A folder or a ZIP of files in."""

import stat
import tempfile
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from service.cli import adding
from service.cli.api import USAGE, Trouble

if TYPE_CHECKING:
    from service.client import Client

LARGEST = 2 * 2**30  # bytes that a ZIP may unpack to
MOST = 10_000  # files of a ZIP


async def add_files(
    pharos: "Client", path: Path, *, private: bool, collection: str | None
) -> AsyncGenerator[adding.Added]:
    """Add the files of a folder or of a ZIP; raises Trouble for a ZIP that is broken or unpacks to too much."""
    if path.suffix.lower() != ".zip":
        async for one in adding.add(pharos, adding.sort([str(path)]), private=private, collection=collection):
            yield one
        return
    with tempfile.TemporaryDirectory(prefix="pharos-import-") as folder:
        _unpack(path, Path(folder))
        async for one in adding.add(pharos, adding.sort([folder]), private=private, collection=collection):
            one.source = f"{path}/{Path(one.source).relative_to(folder)}"
            yield one


def _unpack(path: Path, folder: Path) -> None:
    left = LARGEST
    try:
        with zipfile.ZipFile(path) as opened:
            members = opened.infolist()
            if len(members) > MOST:
                raise Trouble(f"{path} holds more than {MOST} files.", USAGE)
            for member in members:
                if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16):
                    continue
                target = (folder / member.filename.lstrip("/")).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise Trouble(f"{path} holds a file that would leave its folder: {member.filename}", USAGE)
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("wb") as file:
                    left -= _copy(source, file, left, path)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise Trouble(f"{path} cannot be unpacked: {error}", USAGE) from error


def _copy(source: IO[bytes], target: IO[bytes], left: int, path: Path) -> int:
    copied = 0
    while piece := source.read(2**20):
        copied += len(piece)
        if copied > left:
            raise Trouble(f"{path} unpacks to more than {LARGEST >> 30} GB.", USAGE)
        target.write(piece)
    return copied
