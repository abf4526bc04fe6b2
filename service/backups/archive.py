"""The file of a backup: a tar of these members, gzipped.

    pharos.json           what it is: of which release and schema; first, so that anything else is refused at once
    tables/<name>.copy    the rows of a table, as PostgreSQL's COPY writes them; a table comes after those it refers to
    originals/<sha256>    the bytes of a file
    manifest.json         columns, counts and hashes of all that; last, so that a cut file has none

It holds rows and bytes, and nothing that is run.
"""

import gzip
import hashlib
import io
import os
import re
import tarfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal, cast

from pydantic import BaseModel, ValidationError

from service.errors import PharosError

HEAD, MANIFEST = "pharos.json", "manifest.json"
LARGEST = 256 * 2**20  # bytes of a manifest
LEVEL = 3  # of gzip: files are mostly compressed already, and rows shrink to a third by it
_TABLE = re.compile(r"tables/([a-z][a-z0-9_]*)\.copy")
_ORIGINAL = re.compile(r"originals/([0-9a-f]{64})")
_BROKEN = (tarfile.TarError, EOFError, OSError, zlib.error)


class NotABackup(PharosError):
    """{file} is not a backup of Pharos: {reason}. Nothing was changed."""


class Damaged(PharosError):
    """The backup {file} is damaged: {reason}. Nothing was changed. Take an older one."""


class AlreadyThere(PharosError):
    """{file} exists already. Name a file that does not."""


class Head(BaseModel):
    """What a backup is."""

    format: Literal["pharos-backup"]
    version: Literal[1]
    release: str
    revision: str  # of the schema
    postgres: str
    created_at: datetime


class TableOf(BaseModel):
    """The rows of one table."""

    columns: list[str]
    rows: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds; `missing` are originals that were not there when it was taken."""

    tables: dict[str, TableOf]
    sequences: dict[str, int]
    originals: int
    missing: list[str]


class Hashed(io.RawIOBase):
    """Reads a file and hashes what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def hexdigest(self) -> str:
        """Return the hash of what was read so far."""
        return self._hash.hexdigest()


class Writer:
    """Writes an archive member by member."""

    def __init__(self, tar: tarfile.TarFile, head: Head) -> None:
        self._tar = tar
        self._add(HEAD, head)

    def table(self, name: str, rows: BinaryIO) -> str:
        """Add a table's rows and return their hash."""
        return self._copy(f"tables/{name}.copy", rows)

    def original(self, key: str, file: BinaryIO) -> None:
        """Add an original; Damaged where its bytes are not those of its key."""
        self._copy(f"originals/{key}", file)

    def finish(self, manifest: Manifest) -> None:
        """Add what makes it whole."""
        self._add(MANIFEST, manifest)

    def _copy(self, name: str, file: BinaryIO) -> str:
        member = tarfile.TarInfo(name)
        member.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        hashed = Hashed(file)
        self._tar.addfile(member, cast("BinaryIO", hashed))
        self._tar.members.clear()  # pyright: ignore[reportAttributeAccessIssue]  # there may be millions
        return hashed.hexdigest()

    def _add(self, name: str, content: BaseModel) -> None:
        self._copy(name, io.BytesIO(content.model_dump_json().encode()))


@contextmanager
def writing(file: Path, head: Head) -> Generator[Writer]:
    """Write an archive that appears under its name when it is whole, and only its owner may read."""
    if file.exists():
        raise AlreadyThere(file=file)
    draft = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            with gzip.GzipFile("", "wb", LEVEL, stream) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
                yield Writer(tar, head)
            stream.flush()
            os.fsync(stream.fileno())
        draft.rename(file)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


class Member:
    """A table or an original, to be read once; `file` may be read before the next one is asked for."""

    def __init__(self, kind: Literal["table", "original"], name: str, file: BinaryIO) -> None:
        self.kind, self.name, self.file = kind, name, file


def members(file: Path) -> Iterator[Member]:
    """Yield the tables and the originals of an archive that was verified."""
    with gzip.open(file) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        for info in _walk(tar):
            content = tar.extractfile(info)
            if content is not None and (named := _named(info.name)) is not None:
                yield Member(*named, cast("BinaryIO", content))


def verify(file: Path) -> tuple[Head, Manifest]:
    """Read a whole archive, hold it against its manifest, and return what it is and holds.

    Raises NotABackup and Damaged.
    """
    try:
        with gzip.open(file) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            infos = _walk(tar)
            head = _head(file, tar, infos)
            try:
                manifest = _verified(file, tar, infos)
                while packed.read(2**20):  # up to the checksum of the whole
                    pass
            except _BROKEN as error:
                raise Damaged(file=file, reason=f"it ends too early or was changed ({error})") from None
    except FileNotFoundError:
        raise NotABackup(file=file, reason="there is no such file") from None
    except _BROKEN as error:
        raise NotABackup(file=file, reason=f"it cannot be read ({error})") from None
    return head, manifest


def _walk(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """Yield what a tar holds, and forget each: there may be millions."""
    while (info := tar.next()) is not None:
        yield info
        tar.members.clear()  # pyright: ignore[reportAttributeAccessIssue]  # its stub leaves it out


def _head(file: Path, tar: tarfile.TarFile, infos: Iterator[tarfile.TarInfo]) -> Head:
    first = next(infos, None)
    content = tar.extractfile(first) if first is not None and first.name == HEAD and first.size < 2**16 else None
    if content is None:
        raise NotABackup(file=file, reason=f"it does not begin with {HEAD}")
    try:
        return Head.model_validate_json(content.read())
    except ValidationError as error:
        faults = ", ".join(str(fault["loc"][0]) if fault["loc"] else fault["msg"] for fault in error.errors())
        raise NotABackup(file=file, reason=f"{HEAD} says something else than this release reads ({faults})") from None


def _verified(file: Path, tar: tarfile.TarFile, infos: Iterator[tarfile.TarInfo]) -> Manifest:
    tables: dict[str, str] = {}
    originals, manifest = 0, None
    for info in infos:
        content = tar.extractfile(info) if info.isreg() else None
        if manifest is not None or content is None:
            raise Damaged(file=file, reason=f"it holds {info.name[:100]!r}, which no backup does")
        if info.name == MANIFEST and info.size <= LARGEST:
            try:
                manifest = Manifest.model_validate_json(content.read())
            except ValidationError:
                raise Damaged(file=file, reason=f"{MANIFEST} cannot be read") from None
            continue
        if (named := _named(info.name)) is None:
            raise Damaged(file=file, reason=f"it holds {info.name[:100]!r}, which no backup does")
        kind, name = named
        digest = hashlib.file_digest(content, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]
        if kind == "original":
            originals += 1
            if digest != name:
                raise Damaged(file=file, reason=f"the bytes of the original {name} are others")
        elif name in tables:
            raise Damaged(file=file, reason=f"it holds the table {name} twice")
        else:
            tables[name] = digest
    if manifest is None:
        raise Damaged(file=file, reason=f"it has no {MANIFEST}: it was cut off, or is not finished")
    for name in sorted(tables.keys() | manifest.tables.keys()):
        if tables.get(name) != (manifest.tables[name].sha256 if name in manifest.tables else None):
            raise Damaged(file=file, reason=f"the rows of the table {name} are not those that it was made with")
    if originals != manifest.originals:
        raise Damaged(file=file, reason=f"it holds {originals} originals, and should hold {manifest.originals}")
    return manifest


def _named(name: str) -> tuple[Literal["table", "original"], str] | None:
    if match := _TABLE.fullmatch(name):
        return "table", match[1]
    if match := _ORIGINAL.fullmatch(name):
        return "original", match[1]
    return None
