"""The compile cache: machine code on disk, found by the hash of what it was made from.

An entry is one file that is never changed: it appears complete (written beside, then renamed), so
readers need no lock, and a damaged one is the same as none. Machine code is executed, hence a
folder or an entry that somebody else could write is none (see `folder`).
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import warnings

from theano._core.runtime.folder import Folder, UntrustedError

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
    """

    def __init__(self, folder: str | None = None, limit_bytes: int = 512 << 20) -> None:
        self.limit_bytes = limit_bytes
        self._entries = _prepare(default_folder() if folder is None else folder)
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
        entries = self._usable()
        if entries is None:
            return self._memory.get(key)
        try:
            content = entries.read(key + _SUFFIX)
        except OSError:
            return None
        data = None if content is None else _unpack(content)
        if data is None:
            entries.delete(key + _SUFFIX)
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
        entries = self._usable()
        if entries is None:
            self._remember(key, data)
            return
        content = _MAGIC + hashlib.sha256(data).digest() + data
        try:
            entries.write(key + _SUFFIX, content)
        except OSError:
            return
        self._unchecked_bytes += len(content)
        if self._unchecked_bytes > self._look_after_bytes:
            self._unchecked_bytes = 0
            self.evict()

    def evict(self) -> None:
        """Delete the entries whose last use is oldest until the rest is within the limit."""
        folder = self._usable()
        if folder is None:
            return
        files = list(folder.files())
        newest = max((time for time, _, _ in files), default=0.0)
        for time, _, name in files:
            if name.endswith(".new") and time < newest - _ABANDONED:
                folder.delete(name)
        entries = sorted(entry for entry in files if entry[2].endswith(_SUFFIX))
        total = sum(size for _, size, _ in entries)
        for _, size, name in entries:
            if total <= self.limit_bytes:
                break
            folder.delete(name)
            total -= size

    def entries(self) -> list[tuple[float, int, str]]:
        """Return when each entry was last used, its size in bytes and its key."""
        folder = self._usable()
        if folder is None:
            return [(0.0, len(data), key) for key, data in self._memory.items()]
        return [
            (used, size, name.removesuffix(_SUFFIX))
            for used, size, name in folder.files()
            if name.endswith(_SUFFIX)
        ]

    def clear(self) -> None:
        """Delete all entries."""
        self._memory.clear()
        folder = self._usable()
        if folder is not None:
            for _, _, key in self.entries():
                folder.delete(key + _SUFFIX)

    @property
    def folder(self) -> str | None:
        """The folder in use; None if it was refused or cannot be made: entries live in memory."""
        return None if self._entries is None else self._entries.path

    def _usable(self) -> Folder | None:
        if self._entries is not None and not self._entries.usable():
            self._entries = _prepare(self._entries.path)
        return self._entries

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


def _prepare(path: str) -> Folder | None:
    path = os.path.abspath(os.path.expanduser(path))
    try:
        return Folder(path)
    except UntrustedError as error:
        return _refuse(path, str(error))
    except OSError as error:
        return _refuse(path, f"it cannot be used ({error})")


def _refuse(folder: str, reason: str) -> None:
    if folder not in _refused:
        _refused.add(folder)
        warnings.warn(
            f"Theano does not keep compiled code in {folder!r}, for {reason}. Compiled code lives "
            "in memory only. Make the folder yours alone (chmod 700), or name another one in "
            "config.base_compiledir.",
            stacklevel=4,
        )
