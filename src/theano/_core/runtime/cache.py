"""The compile cache: machine code on disk, found by the hash of what it was made from.

An entry is one file that is never changed: it appears complete (written beside, then renamed), so
readers need no lock, and a damaged one is the same as none. Machine code is executed, hence a
folder that somebody else could write to is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import stat
import tempfile
import warnings

_MAGIC = b"theano-1"
_KEY = re.compile("[0-9a-f]{64}")
_SUFFIX = ".code"
# A temporary file of this age (seconds) was left behind by a process that died.
_ABANDONED = 3600.0

_refused: set[str] = set()


def default_folder() -> str:
    """Return the folder where this system keeps the caches of Theano."""
    import platformdirs

    return platformdirs.user_cache_dir("theano", appauthor=False)


class CompileCache:
    """Machine code on disk, bounded in size.

    Nothing here raises because of the file system: what cannot be written is not cached.

    Parameters
    ----------
    folder : str, optional
        Where the entries are; made if it is missing. Default: `default_folder()`.
    limit_bytes : int, optional
        The most bytes that the entries may take. The ones whose last use is oldest go first. It is
        looked at now and then, so that the folder may be larger for a while. Default: 512 MiB.

    Attributes
    ----------
    folder : str or None
        The folder in use; None if it was refused or cannot be made: entries live in memory.
    """

    def __init__(self, folder: str | None = None, limit_bytes: int = 512 << 20) -> None:
        self.limit_bytes = limit_bytes
        self.folder = _prepare(default_folder() if folder is None else folder)
        self._memory: dict[str, bytes] = {}
        # Looking at a large folder takes a while, and many short processes may share one: by
        # chance, one of them looks each time that all have written this much.
        self._look_after_bytes = limit_bytes // 16
        self._unchecked_bytes = random.SystemRandom().randint(0, self._look_after_bytes)

    def get(self, key: str) -> bytes | None:
        """Return the data of an entry, or None if there is none, or only a damaged one.

        Parameters
        ----------
        key : str
            64 hexadecimal digits, lower case.

        Returns
        -------
        bytes or None

        Raises
        ------
        ValueError
            `key` is something else.
        """
        _check_key(key)
        if self.folder is None:
            return self._memory.get(key)
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                data = _unpack(file.read())
        except OSError:
            return None
        if data is None:
            with contextlib.suppress(OSError):
                os.unlink(path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # the time of the last use
        return data

    def put(self, key: str, data: bytes) -> None:
        """Add an entry, or write it anew.

        Parameters
        ----------
        key : str
            64 hexadecimal digits, lower case.
        data : bytes

        Raises
        ------
        ValueError
            `key` is something else.
        """
        _check_key(key)
        if self.folder is None:
            self._remember(key, data)
            return
        content = _MAGIC + hashlib.sha256(data).digest() + data
        try:
            _write(self.folder, self._path(key), content)
        except OSError:
            return
        self._unchecked_bytes += len(content)
        if self._unchecked_bytes > self._look_after_bytes:
            self._unchecked_bytes = 0
            self.evict()

    def evict(self) -> None:
        """Delete the entries whose last use is oldest until the rest is within the limit."""
        if self.folder is None:
            return
        entries: list[tuple[float, int, str]] = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as found:
            for entry in found:
                with contextlib.suppress(OSError):
                    facts = entry.stat(follow_symlinks=False)
                    entries.append((facts.st_mtime, facts.st_size, entry.path))
        _delete_abandoned(entries)
        entries = sorted(entry for entry in entries if entry[2].endswith(_SUFFIX))
        total = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if total <= self.limit_bytes:
                break
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size

    def _path(self, key: str) -> str:
        assert self.folder is not None
        return os.path.join(self.folder, key + _SUFFIX)

    def _remember(self, key: str, data: bytes) -> None:
        self._memory[key] = data
        total = sum(map(len, self._memory.values()))
        while total > self.limit_bytes and self._memory:
            total -= len(self._memory.pop(next(iter(self._memory))))


def _check_key(key: str) -> None:
    # Also what keeps an entry inside the folder.
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError(f"a key of the compile cache is 64 hexadecimal digits, not {key!r}")


def _unpack(content: bytes) -> bytes | None:
    start = len(_MAGIC) + 32
    data = content[start:]
    if (
        content[: len(_MAGIC)] != _MAGIC
        or content[len(_MAGIC) : start] != hashlib.sha256(data).digest()
    ):
        return None
    return data


def _write(folder: str, path: str, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=folder, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _delete_abandoned(entries: list[tuple[float, int, str]]) -> None:
    newest = max((time for time, _, _ in entries), default=0.0)
    for time, _, path in entries:
        if path.endswith(".new") and time < newest - _ABANDONED:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _prepare(folder: str) -> str | None:
    folder = os.path.abspath(os.path.expanduser(folder))
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        facts = os.stat(folder)
    except OSError as error:
        return _refuse(folder, f"it cannot be used ({error})")
    if not stat.S_ISDIR(facts.st_mode):
        return _refuse(folder, "it is not a folder")
    if os.name == "posix":
        if facts.st_uid != os.geteuid():
            return _refuse(folder, "it belongs to another user")
        if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return _refuse(folder, "other users can write to it")
    return folder


def _refuse(folder: str, reason: str) -> None:
    if folder not in _refused:
        _refused.add(folder)
        warnings.warn(
            f"Theano does not keep compiled code in {folder!r}, for {reason}. Compiled code lives "
            "in memory only. Make the folder yours alone (chmod 700), or name another one in "
            "config.base_compiledir.",
            stacklevel=4,
        )
