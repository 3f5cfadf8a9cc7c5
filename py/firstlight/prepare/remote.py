"""Trees and sources behind URLs, through fsspec: s3://, gs://, http:// and whatever it knows."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from fsspec.core import url_to_fs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firstlight.prepare.tree import Chunk

_RANGES_AT_ONCE: Final = 64
"""As many requests for small ranges are on the way together."""


class RemoteTree:
    """Objects below a prefix. A store shows an object when all of it has arrived, never before."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._files, root = _file_system(location)
        self._root = root.rstrip("/")

    def remove_unfinished(self) -> None:
        """Nothing: unfinished uploads are never visible."""

    def write(self, path: str, *chunks: Chunk) -> int:
        """Write an object in one step."""
        size = sum(len(chunk) for chunk in chunks)
        with _plain_errors():
            if size <= 1 << 26:
                self._files.pipe_file(self._at(path), b"".join(chunks))
            else:  # a multipart upload becomes visible when it is completed
                with self._files.open(self._at(path), "wb", block_size=1 << 26) as stream:
                    for chunk in chunks:
                        stream.write(chunk)
        return size

    def read(self, path: str) -> bytes:
        """An object's content."""
        with _plain_errors():
            return bytes(self._files.cat_file(self._at(path)))

    def read_ranges(self, ranges: Iterable[tuple[str, int, int]]) -> Iterator[bytes]:
        """The bytes from start to stop of each object."""
        waiting = iter(ranges)
        while batch := list(itertools.islice(waiting, _RANGES_AT_ONCE)):
            paths = [self._at(path) for path, _, _ in batch]
            starts, stops = [r[1] for r in batch], [r[2] for r in batch]
            with _plain_errors():
                yield from map(
                    bytes, self._files.cat_ranges(paths, starts, stops, on_error="raise")
                )

    def size_bytes(self, path: str) -> int | None:
        """An object's size, None where there is none."""
        try:
            with _plain_errors():
                return int(self._files.info(self._at(path))["size"])
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> tuple[str, ...]:
        """Paths of the objects in a folder, sorted."""
        try:
            with _plain_errors():
                found = self._files.ls(self._at(folder), detail=True, refresh=True)
        except (FileNotFoundError, TypeError):
            return ()
        leaves = (str(item["name"]).rpartition("/")[2] for item in found if item["type"] == "file")
        return tuple(sorted(f"{folder}/{leaf}" for leaf in leaves if leaf))

    def remove(self, path: str) -> None:
        """Remove an object."""
        with suppress(FileNotFoundError), _plain_errors():
            self._files.rm_file(self._at(path))

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"


def is_url(name: str) -> bool:
    """Whether a name is a URL and not a path."""
    return "://" in name


def open_url(url: str) -> BinaryIO:
    """An object as a seekable binary stream; a context manager.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    with _plain_errors():
        files, path = _file_system(url)
        stream: BinaryIO = files.open(path, "rb")
        if stream.seekable():
            return stream
        with stream:  # a server that knows no ranges
            copy: BinaryIO = tempfile.TemporaryFile(prefix="firstlight-")  # noqa: SIM115
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
            return copy


def walk_url(url: str) -> list[str]:
    """URLs of the object, or of all objects below a folder, sorted by name.

    A folder on a web server is told by a ``/`` at the end.

    Raises:
        OSError: there is nothing, or it cannot be listed.
    """
    with _plain_errors():
        files, path = _file_system(url)
        if url.endswith("/"):  # a web server's answer for a folder looks like a file
            path = f"{path.rstrip('/')}/"
        elif files.isfile(path):
            return [url]
        found = sorted(files.find(path))
    if not found:
        raise FileNotFoundError(2, "nothing is there", url)
    scheme = url.partition("://")[0]
    return [name if "://" in name else f"{scheme}://{name.lstrip('/')}" for name in found]


def open_local_or_url(name: str) -> BinaryIO:
    """A file or an object as a seekable binary stream; a context manager."""
    return open_url(name) if is_url(name) else Path(name).open("rb")


def _file_system(url: str) -> tuple[Any, str]:
    try:
        files, path = url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise OSError(22, f"no access to {url.partition('://')[0]}: {error}", url) from error
    return files, str(path)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Whatever a store's client raises becomes an OSError, which says one line."""
    try:
        yield
    except (OSError, MemoryError, TypeError):
        raise
    except Exception as error:
        raise OSError(5, f"{type(error).__name__} from the store") from error
