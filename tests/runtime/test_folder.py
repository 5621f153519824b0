"""What another user can do to the compile cache: nothing that is read, and nothing that waits."""

import grp
import hashlib
import os
import pathlib
import pwd
import stat
import textwrap
import warnings
from types import SimpleNamespace

import pytest

from support.processes import run_python
from theano._core.runtime import cache as cache_module
from theano._core.runtime.cache import CompileCache
from theano._core.runtime.folder import Folder, UntrustedError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes of POSIX")
KEY = hashlib.sha256(b"key").hexdigest()
NAME = f"{KEY}.code"
needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="only root can be two users"
)


@pytest.fixture(autouse=True)
def fresh_warnings(monkeypatch):
    monkeypatch.setattr(cache_module, "_refused", set())


@pytest.fixture
def cache(tmp_path):
    found = CompileCache(str(tmp_path / "root" / "leaf"))
    found.put(KEY, b"ours")
    assert found.get(KEY) == b"ours"
    return found


def entry(cache):
    return pathlib.Path(cache.folder) / NAME


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_folder_on_the_way_that_others_can_write_to(tmp_path, mode, depth):
    path = tmp_path / "one" / "two" / "three"
    path.mkdir(parents=True)
    place = [path, *path.parents][depth]
    place.chmod(mode)
    with pytest.warns(UserWarning, match=rf"other users can write to {place}\."):
        assert CompileCache(str(path)).folder is None
    with pytest.raises(UntrustedError):
        Folder(str(path / "below"))
    assert not (path / "below").exists()


def test_a_folder_where_each_deletes_its_own_is_passed_but_not_used(tmp_path):
    tmp_path.chmod(0o1777)
    assert CompileCache(str(tmp_path / "mine")).folder == str(tmp_path / "mine")
    with pytest.raises(UntrustedError, match="other users can write"):
        Folder(str(tmp_path))


@pytest.mark.parametrize(
    ("user", "number", "members", "passed"),
    [
        ("me", 500, [], True),
        ("me", 500, ["me"], True),
        ("me", 500, ["me", "you"], False),
        ("all", 500, [], False),
        ("me", 501, [], False),
        ("me", 0, [], False),
        (None, 500, [], False),
    ],
)
def test_the_group_of_one_user_may_write_on_the_way(
    tmp_path, monkeypatch, user, number, members, passed
):
    def group_of(_):
        if user is None:
            raise KeyError
        return SimpleNamespace(gr_name=user, gr_mem=members)

    def fstat(handle):
        facts = real(handle)
        return os.stat_result([500 if i == 5 and number else x for i, x in enumerate(facts)])

    real, wide = os.fstat, tmp_path / "wide"
    monkeypatch.setattr(grp, "getgrgid", group_of)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="me", pw_gid=number))
    monkeypatch.setattr(os, "fstat", fstat)
    wide.mkdir()
    wide.chmod(0o770)
    if passed:
        assert Folder(str(wide / "leaf")).usable()
    else:
        with pytest.raises(UntrustedError):
            Folder(str(wide / "leaf"))
    with pytest.raises(UntrustedError):
        Folder(str(wide))
    wide.chmod(0o777)
    with pytest.raises(UntrustedError):
        Folder(str(wide / "leaf"))


def test_what_is_made_is_for_this_user_alone(tmp_path):
    before = os.umask(0)
    try:
        folder = Folder(str(tmp_path / "one" / "two"))
        folder.write("file", b"x")
    finally:
        os.umask(before)
    for path in (tmp_path / "one", tmp_path / "one" / "two"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "one" / "two" / "file").stat().st_mode) == 0o600


def test_links_lead_to_where_they_lead_when_the_folder_is_opened(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    link = tmp_path / "link"
    link.symlink_to("one")
    cache = CompileCache(str(link / "cache"))
    assert cache.folder == str(tmp_path / "one" / "cache")
    link.unlink()
    link.symlink_to("two")
    cache.put(KEY, b"x")
    assert (tmp_path / "one" / "cache" / NAME).exists()


def test_a_link_put_in_the_way_later_is_not_followed(tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("other")
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    with pytest.warns(UserWarning, match="cannot be used"):
        assert CompileCache(str(tmp_path / "link" / "cache")).folder is None
    assert not list((tmp_path / "other").iterdir())


def test_a_leaf_that_is_exchanged_is_not_read(cache):
    leaf = entry(cache).parent
    other = CompileCache(str(leaf.parent / "other"))
    other.put(KEY, b"theirs")
    leaf.rename(leaf.parent / "moved")
    (leaf.parent / "other").rename(leaf)
    assert cache.get(KEY) == b"ours"
    cache.put(KEY, b"new")
    assert CompileCache(str(leaf.parent / "moved")).get(KEY) == b"new"
    assert CompileCache(str(leaf)).get(KEY) == b"theirs"


def test_a_folder_that_is_opened_to_others_later_is_not_used(cache):
    entry(cache).parent.chmod(0o777)
    with pytest.warns(UserWarning, match="other users can write"):
        assert cache.get(KEY) is None
    cache.put(KEY, b"in memory")
    assert cache.get(KEY) == b"in memory"


def test_a_descriptor_that_a_program_closed_or_used_again(cache, tmp_path):
    """Programs that go into the background close all they have."""
    handle = cache._entries._handle
    os.close(handle)
    assert cache.get(KEY) == b"ours"
    other = CompileCache(str(tmp_path / "other"))
    other.put(KEY, b"theirs")
    handle = cache._entries._handle
    fresh = os.open(tmp_path / "other", os.O_RDONLY)
    os.dup2(fresh, handle)
    os.close(fresh)
    assert cache.get(KEY) == b"ours"
    # It is not ours to close.
    assert os.fstat(handle).st_ino == (tmp_path / "other").stat().st_ino
    os.close(handle)


def test_folders_are_closed(tmp_path):
    count = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(50):
        CompileCache(str(tmp_path / "a"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            CompileCache(f"{__file__}/below")
    if count:
        assert len(os.listdir("/proc/self/fd")) <= count + 2


def linked(path):
    target = path.parent / "target"
    path.rename(target)
    path.symlink_to(target)


def device(path):
    path.unlink()
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this process may not make devices")


@pytest.mark.parametrize(
    "change",
    [
        linked,
        device,
        lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
        lambda path: os.link(path, path.parent / "target"),
        lambda path: path.chmod(0o666),
        lambda path: path.chmod(0o620),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["link", "device", "fifo", "hard link", "writable", "group-writable", "folder"],
)
def test_what_is_no_file_of_ours_alone_is_no_entry(cache, change):
    path = entry(cache)
    change(path)
    assert cache.get(KEY) is None
    cache.put(KEY, b"again")
    assert cache.get(KEY) == (None if path.is_dir() else b"again")
    cache.evict()


# Root makes the processes of two users, who cannot read the interpreter's own files: all is
# imported before.
TWO_USERS = """
import hashlib, os, pathlib, sys, tempfile, traceback, warnings, signal
from theano._core.runtime.cache import CompileCache
import theano._core.runtime.folder
VICTIM, ATTACKER = 20001, 20002
KEY = hashlib.sha256(b"key").hexdigest()
NAME = KEY + ".code"
base = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))
base.chmod(0o755)

def as_user(number, action):
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(20)
            os.setgroups([]); os.setgid(number); os.setuid(number)
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

def room(name, mode, owner=0):
    path = base / name
    path.mkdir()
    os.chown(path, owner, owner)
    path.chmod(mode)
    return path

def opened(path, reason=None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cache = CompileCache(str(path))
    texts = [str(w.message) for w in caught]
    if reason is None:
        assert cache.folder is not None and not texts, texts
    else:
        assert cache.folder is None and len(texts) == 1 and reason in texts[0], texts
    return cache

def plant(path):
    path.mkdir(parents=True)
    (path / NAME).write_bytes(b"theano-1" + hashlib.sha256(b"theirs").digest() + b"theirs")
"""


def two_users(actions):
    run_python(TWO_USERS + textwrap.dedent(actions) + "\nimport shutil; shutil.rmtree(base)\n")


@needs_root
def test_the_folder_that_another_user_made_first():
    two_users("""
        shared = room("shared", 0o1777)
        as_user(ATTACKER, lambda: plant(shared / "cache"))
        as_user(VICTIM, lambda: opened(shared / "cache", "belongs to another user"))
        as_user(VICTIM, lambda: opened(shared / "cache" / "below", "belongs to another user"))
        as_user(VICTIM, lambda: opened(shared / "mine"))
        as_user(ATTACKER, lambda: (shared / "link").symlink_to(shared / "cache"))
        as_user(VICTIM, lambda: opened(shared / "link", "belongs to another user"))
    """)


@needs_root
def test_the_leaf_that_another_user_exchanges():
    two_users("""
        open_to_all = room("open", 0o777)
        def victim():
            cache = opened(open_to_all / "root" / "leaf", f"users can write to {open_to_all}.")
            cache.put(KEY, b"ours")
            assert cache.get(KEY) == b"ours"
        as_user(VICTIM, victim)
        assert not list(open_to_all.iterdir())
        own = room("own", 0o700, VICTIM)
        def fine():
            cache = opened(own / "root" / "leaf")
            cache.put(KEY, b"ours")
        as_user(VICTIM, fine)
        own.chmod(0o777)
        def exchange():
            (own / "root").rename(own / "old")
            plant(own / "root" / "leaf")
        as_user(ATTACKER, exchange)
        as_user(VICTIM, lambda: opened(own / "root" / "leaf", f"users can write to {own}."))
        own.chmod(0o700)
        as_user(VICTIM, lambda: opened(own / "root" / "leaf", "belongs to another user"))
    """)


@needs_root
def test_entries_of_another_user():
    two_users("""
        own = room("own", 0o700, VICTIM)
        theirs = room("theirs", 0o755, ATTACKER)
        as_user(ATTACKER, lambda: plant(theirs / "leaf"))
        content = (theirs / "leaf" / NAME).read_bytes()
        def owned():
            (own / NAME).write_bytes(content)
            os.chown(own / NAME, ATTACKER, ATTACKER)
        def hard():
            os.link(theirs / "leaf" / NAME, own / NAME)
        def soft():
            (own / NAME).symlink_to(theirs / "leaf" / NAME)
        def pipe():
            os.mkfifo(own / NAME)
            os.chown(own / NAME, ATTACKER, ATTACKER)
        def victim():
            cache = opened(own)
            assert cache.get(KEY) is None
            cache.put(KEY, b"ours")
            assert cache.get(KEY) == b"ours"
        for change in (owned, hard, soft, pipe):
            change()
            as_user(VICTIM, victim)
            assert (theirs / "leaf" / NAME).read_bytes() == content
            (own / NAME).unlink()
    """)


@needs_root
def test_a_process_that_becomes_another_user():
    two_users("""
        cache = CompileCache(str(base / "roots"))
        cache.put(KEY, b"roots")
        def victim():
            with warnings.catch_warnings(record=True):
                assert cache.get(KEY) is None
            cache.put(KEY, b"ours")
            assert cache.get(KEY) == b"ours"
        as_user(VICTIM, victim)
        assert cache.get(KEY) == b"roots"
    """)
