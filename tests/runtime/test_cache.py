"""The compile cache: damage, many writers, eviction, permissions."""

import concurrent.futures
import hashlib
import os
import pathlib
import random
import time
import warnings

import pytest

from support.processes import run_python
from theano._core.runtime import cache as cache_module
from theano._core.runtime.cache import CompileCache, default_folder

LIMIT = 1 << 20


def key(text):
    return hashlib.sha256(str(text).encode()).hexdigest()


@pytest.fixture
def cache(tmp_path):
    return CompileCache(str(tmp_path / "made" / "here"), LIMIT)


@pytest.fixture(autouse=True)
def fresh_warnings(monkeypatch):
    monkeypatch.setattr(cache_module, "_refused", set())


def files(cache):
    return sorted(pathlib.Path(cache.folder).iterdir())


def size(cache):
    return sum(path.stat().st_size for path in files(cache))


def test_what_is_put_is_found_by_this_cache_and_by_the_next(cache):
    assert cache.get(key(1)) is None
    for data in (b"", b"abc", bytes(range(256)) * 100):
        cache.put(key(1), data)
        assert cache.get(key(1)) == CompileCache(cache.folder, LIMIT).get(key(1)) == data
    assert len(files(cache)) == 1
    assert os.stat(cache.folder).st_mode & 0o777 == 0o700


def test_keys_are_checked(cache):
    for wrong in (
        *("", "abc", "../" * 22, key(1)[:-1] + "G", key(1).upper(), key(1) + "\n"),
        *(None, 3, b"a" * 64),
    ):
        for call in (lambda k: cache.get(k), lambda k: cache.put(k, b"")):
            with pytest.raises(ValueError, match="64 hexadecimal"):
                call(wrong)


def test_damage_is_the_same_as_no_entry(cache):
    data = b"machine code" * 10
    cache.put(key(1), data)
    (path,) = files(cache)
    good = path.read_bytes()
    for i in range(len(good)):
        damaged = bytearray(good)
        damaged[i] ^= 1
        path.write_bytes(damaged)
        assert cache.get(key(1)) is None
        assert not path.exists()  # so that the next one to compile it replaces it
        path.write_bytes(good[:i])
        assert cache.get(key(1)) is None
    cache.put(key(1), data)
    assert cache.get(key(1)) == data


def test_oldest_use_goes_first(cache):
    start = time.time() - 1000
    for i in range(20):
        cache.put(key(i), bytes(100_000))
        os.utime(os.path.join(cache.folder, key(i) + ".code"), (start + i, start + i))
    assert cache.get(key(10)) is not None  # now the youngest
    cache.evict()
    left = [i for i in range(20) if cache.get(key(i)) is not None]
    assert left == [10, *range(11, 20)]
    assert size(cache) <= LIMIT


def test_size_is_bounded_without_being_asked(cache):
    for i in range(200):
        cache.put(key(i), bytes(50_000))
    assert size(cache) <= LIMIT * 17 // 16


def test_short_processes_seldom_look_at_the_size(cache, monkeypatch):
    chance, looks = random.Random(1), []
    monkeypatch.setattr(random, "SystemRandom", lambda: chance)
    monkeypatch.setattr(CompileCache, "evict", lambda self: looks.append(self.folder))
    for i in range(400):
        CompileCache(cache.folder, cache.limit_bytes).put(key(i), bytes(2000))
    expected = 400 * 2000 / (cache.limit_bytes / 16)
    assert expected / 2 < len(looks) < 2 * expected


def test_what_dead_processes_left_is_deleted(cache):
    cache.put(key(1), b"x")
    left, fresh = (pathlib.Path(cache.folder) / name for name in ("abc.new", "def.new"))
    left.write_bytes(b"half")
    fresh.write_bytes(b"half")
    os.utime(left, (time.time() - 10_000,) * 2)
    cache.evict()
    assert not left.exists() and fresh.exists()


def test_many_processes(cache):
    program = """
        import hashlib, sys
        from theano._core.runtime.cache import CompileCache
        cache = CompileCache(sys.argv[1], 1 << 16)
        for round in range(40):
            for i in range(10):
                key = hashlib.sha256(str(i).encode()).hexdigest()
                data = cache.get(key)
                assert data is None or data == str(i).encode() * 1000, (i, data[:20])
                cache.put(key, str(i).encode() * 1000)
    """
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run_python(program, cache.folder), range(4)))
    assert all(path.suffix == ".code" for path in files(cache))


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o770, 0o702, 0o777])
def test_folders_that_others_can_write_to_are_refused(tmp_path, mode):
    tmp_path.chmod(mode)
    with pytest.warns(UserWarning, match="other users can write"):
        cache = CompileCache(str(tmp_path), 1000)
    assert cache.folder is None
    cache.put(key(1), b"abc")
    assert cache.get(key(1)) == b"abc" and cache.get(key(2)) is None
    cache.put(key(2), bytes(999))
    assert cache.get(key(1)) is None and cache.get(key(2)) == bytes(999)
    cache.evict()
    assert not list(tmp_path.iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        CompileCache(str(tmp_path))


@pytest.mark.skipif(os.name != "posix", reason="owners of POSIX")
def test_folders_of_others_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.warns(UserWarning, match="belongs to another user"):
        assert CompileCache(str(tmp_path)).folder is None


def test_folders_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("file", "file/below"):
        with pytest.warns(UserWarning, match="cannot be used"):
            cache = CompileCache(str(tmp_path / name))
        cache.put(key(1), b"abc")
        assert cache.get(key(1)) == b"abc"


def test_what_cannot_be_written_is_not_cached(cache, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.put(key(1), b"abc")
    assert cache.get(key(1)) is None
    assert files(cache) == []


def test_the_default_folder_is_absolute_and_platformdirs_is_imported_late():
    assert os.path.isabs(default_folder()) and "theano" in default_folder()
    run_python("import sys, theano._core.runtime.cache; assert 'platformdirs' not in sys.modules")
