"""A folder whose files nobody else can have written: what is read from it may be executed.

The way to it is opened one folder after the other, each from the descriptor of the one before, and
each is checked once it is open, so that nothing can be exchanged between a check and its use. Later
the files are opened from the descriptor of the folder, whatever its path leads to by then.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import Any

# Where the system has no descriptors of folders, names are paths and nothing is checked.
_CHECKED = os.name == "posix"
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_WHOLE_FOLDER = _FLAGS | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
# On the way only the right to pass is needed, which is all that some folders of systems give.
_PASSAGE = _WHOLE_FOLDER | getattr(os, "O_PATH", 0)
# Opening a FIFO must not wait for who writes to it, nor a terminal become ours.
_FILE = _FLAGS | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_FILE |= getattr(os, "O_NOCTTY", 0)
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class UntrustedError(Exception):
    """Somebody else could change what is in a folder; the text says why."""


class Folder:
    """An open folder that is this user's alone.

    Parameters
    ----------
    path : str
        Made, with what is missing on the way, for this user alone.

    Raises
    ------
    UntrustedError
        The folder, or one on the way to it, can be changed or exchanged by another user.
    OSError
        It cannot be made or opened.
    """

    def __init__(self, path: str) -> None:
        # Links are followed here and nowhere later: the way has none, and each part is checked.
        self.path = os.path.realpath(path)
        self._handle: Any = None
        self._identity: tuple[int, int] | None = None
        if not _CHECKED:
            os.makedirs(self.path, exist_ok=True)
            return
        self._handle = _opened(self.path)
        facts = os.fstat(self._handle)
        self._identity = facts.st_dev, facts.st_ino

    def __del__(self) -> None:
        if getattr(self, "_identity", None) is not None and self._same():
            os.close(self._handle)

    def usable(self) -> bool:
        """Tell whether the descriptor is still that of the folder, and the folder still ours alone.

        A program that closes all descriptors, as those that go into the background do, may have
        given its number to something else.
        """
        return self._handle is None or (self._same() and _only_ours(os.fstat(self._handle)))

    def _same(self) -> bool:
        try:
            facts = os.fstat(self._handle)
        except OSError:
            facts = None
        if facts is None or (facts.st_dev, facts.st_ino) != self._identity:
            # Whoever has the number now closes it.
            self._identity = None
        return self._identity is not None

    def read(self, name: str) -> bytes | None:
        """Return the content of a file, and note the time; None if it is no file of ours alone.

        Raises
        ------
        OSError
            There is no such file, or it is a link.
        """
        handle = os.open(self._at(name), os.O_RDONLY | _FILE, dir_fd=self._handle)
        try:
            if _CHECKED and not _is_plain(os.fstat(handle)):
                return None
            if os.utime in os.supports_fd:
                with contextlib.suppress(OSError):
                    os.utime(handle)
            with open(handle, "rb", closefd=False) as file:
                return file.read()
        finally:
            os.close(handle)

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which appears complete under its name.

        Raises
        ------
        OSError
            It cannot be written; nothing is left behind.
        """
        fresh = f"{os.urandom(8).hex()}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
        handle = os.open(self._at(fresh), flags, 0o600, dir_fd=self._handle)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(
                self._at(fresh),
                self._at(name),
                src_dir_fd=self._handle,
                dst_dir_fd=self._handle,
            )
        except BaseException:
            self.delete(fresh)
            raise

    def delete(self, name: str) -> None:
        """Delete a file if that can be done."""
        with contextlib.suppress(OSError):
            os.unlink(self._at(name), dir_fd=self._handle)

    def files(self) -> Iterator[tuple[float, int, str]]:
        """Yield when each file was used last, how many bytes it has, and its name."""
        with (
            contextlib.suppress(OSError),
            os.scandir(self.path if self._handle is None else self._handle) as entries,
        ):
            for entry in entries:
                with contextlib.suppress(OSError):
                    facts = entry.stat(follow_symlinks=False)
                    yield facts.st_mtime, facts.st_size, entry.name

    def _at(self, name: str) -> str:
        return os.path.join(self.path, name) if self._handle is None else name


def _opened(path: str) -> int:
    """Return the descriptor of a folder, opened from the root on, each part checked."""
    parts = [part for part in path.split("/") if part]
    handle = os.open("/", _PASSAGE if parts else _WHOLE_FOLDER)
    place = "/"
    try:
        _check(place, os.fstat(handle), bool(parts))
        for index, part in enumerate(parts, 1):
            inner = index < len(parts)
            flags = _PASSAGE if inner else _WHOLE_FOLDER
            place = os.path.join(place, part)
            before = handle
            try:
                handle = os.open(part, flags, dir_fd=before)
            except FileNotFoundError:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o700, dir_fd=before)
                handle = os.open(part, flags, dir_fd=before)
            os.close(before)
            _check(place, os.fstat(handle), inner)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _check(place: str, facts: os.stat_result, inner: bool) -> None:
    """Refuse a folder that another user can change; on the way to ours, who else may be there.

    The system's own folders are trusted, and those in which each user may only delete what is the
    user's own (`/tmp`): what is opened from them is checked in its turn. So are folders that only
    the group may write to which many systems make for each user.
    """
    if not stat.S_ISDIR(facts.st_mode):
        raise UntrustedError(f"{place} is not a folder")
    if facts.st_uid != os.geteuid() and not (inner and facts.st_uid == 0):
        raise UntrustedError(f"{place} belongs to another user")
    others = facts.st_mode & _OTHERS_WRITE
    passed = facts.st_mode & stat.S_ISVTX or (
        others == stat.S_IWGRP and _is_private_group(facts.st_gid)
    )
    if others and not (inner and passed):
        raise UntrustedError(f"other users can write to {place}")


def _is_private_group(number: int) -> bool:
    """Tell whether a group is the one that has the name of this user, and no other member."""
    import grp
    import pwd

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return False
    # Users of the system have root's group as theirs.
    return (
        0 != number == user.pw_gid
        and group.gr_name == user.pw_name
        and set(group.gr_mem) <= {user.pw_name}
    )


def _is_plain(facts: os.stat_result) -> bool:
    return stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1 and _only_ours(facts)


def _only_ours(facts: os.stat_result) -> bool:
    return facts.st_uid == os.geteuid() and not facts.st_mode & _OTHERS_WRITE
