"""`theano.misc.pkl_utils`: models in a zip file, one array a member; pickles without extras."""

from __future__ import annotations

import pickle
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np

from theano._core.compile.shared import SharedVariable
from theano._core.ir.variable import Apply, Tag, Variable

DEFAULT_PROTOCOL = pickle.DEFAULT_PROTOCOL
_PICKLE = "pkl"


class StripPickler(pickle.Pickler):
    """A pickler that leaves out what variables and nodes know beside their meaning.

    Parameters
    ----------
    file : file, opened for binary writing
    protocol : int
    extra_tag_to_remove : str or sequence of str, optional
        Attributes of `tag` to leave out; the lines where variables were made always are.
    """

    def __init__(self, file: BinaryIO, protocol: int = 0, extra_tag_to_remove: Any = None) -> None:
        # Graphs need protocol 2 at least.
        super().__init__(file, protocol if protocol < 0 else max(protocol, 2))
        extra = [extra_tag_to_remove] if isinstance(extra_tag_to_remove, str) else None
        self.tag_to_remove = ["trace", "test_value", *(extra or extra_tag_to_remove or ())]

    def reducer_override(self, obj: object) -> Any:
        """Pickle variables and nodes from copies of their attributes."""
        if isinstance(obj, Apply):
            make, arguments, (tag, _, own) = obj.__reduce__()
            return make, arguments, (self._stripped(tag), None, [self._plain(o) for o in own])
        if isinstance(obj, Variable) and obj.owner is None:
            make, arguments, state, *rest = obj.__reduce_ex__(2)
            return make, arguments, self._plain(state), *rest
        return NotImplemented

    def _stripped(self, tag: dict[str, object]) -> dict[str, Any]:
        return {k: x for k, x in tag.items() if k not in self.tag_to_remove}

    def _plain(self, state: dict[str, object]) -> dict[str, Any]:
        tag = Tag(None)
        vars(tag).update(self._stripped(vars(state.get("tag", tag))))
        return {**state, "source": None, "tag": tag}


class CompatUnpickler(pickle.Unpickler):
    """An unpickler for files that Python 2 wrote: pass ``encoding='latin1'``.

    It also takes arrays that NumPy's older versions pickled.
    """


class PersistentNdarrayID:
    """Stores each array of what is pickled as a member of a zip file of its own.

    Parameters
    ----------
    zip_file : zipfile.ZipFile
    """

    def __init__(self, zip_file: zipfile.ZipFile) -> None:
        self.zip_file = zip_file
        self.count = 0
        # The arrays are kept: another one must not get the identity of one that is gone.
        self.seen: dict[int, tuple[str, Any]] = {}

    def _resolve_name(self, obj: np.ndarray) -> str:
        name = f"array_{self.count}"
        self.count += 1
        return name

    def __call__(self, obj: Any) -> str | None:
        """Return how the pickle refers to an array; None for what is no array."""
        if type(obj) is not np.ndarray:
            return None
        if id(obj) not in self.seen:
            name = self._resolve_name(obj)
            zipadd(lambda f: np.lib.format.write_array(f, obj), self.zip_file, name)
            self.seen[id(obj)] = f"ndarray.{name}", obj
        return self.seen[id(obj)][0]


class PersistentSharedVariableID(PersistentNdarrayID):
    """As `PersistentNdarrayID`; the value of a shared variable is stored under its name.

    Parameters
    ----------
    zip_file : zipfile.ZipFile
    allow_unnamed : bool
        Whether shared variables may have no name.
    allow_duplicates : bool
        Whether several may have one name: they become ``x``, ``x_2``, ``x_3``.

    Raises
    ------
    ValueError
        When pickling: a name is missing, repeated, or that of the pickle itself.
    """

    def __init__(
        self, zip_file: zipfile.ZipFile, allow_unnamed: bool = True, allow_duplicates: bool = True
    ) -> None:
        super().__init__(zip_file)
        self.name_counter: Counter[str] = Counter()
        self.ndarray_names: dict[int, str] = {}
        self.allow_unnamed = allow_unnamed
        self.allow_duplicates = allow_duplicates

    def _resolve_name(self, obj: np.ndarray) -> str:
        name = self.ndarray_names.get(id(obj))
        if name is None:
            return super()._resolve_name(obj)
        self.name_counter[name] += 1
        number = self.name_counter[name]
        if number == 1:
            return name
        if not self.allow_duplicates:
            raise ValueError(f"multiple shared variables with the name `{name}` found")
        return f"{name}_{number}"

    def __call__(self, obj: object) -> str | None:
        """Note the name of a shared variable; as in the base class otherwise."""
        if isinstance(obj, SharedVariable):
            if obj.name == _PICKLE:
                raise ValueError(f"can't pickle shared variable with name `{_PICKLE}`")
            if obj.name:
                self.ndarray_names[id(obj.container.cell.value)] = obj.name
            elif not self.allow_unnamed:
                raise ValueError(f"unnamed shared variable, {obj}")
        return super().__call__(obj)


class PersistentNdarrayLoad:
    """Loads the arrays that `PersistentNdarrayID` stored, each once.

    Parameters
    ----------
    zip_file : zipfile.ZipFile
    """

    def __init__(self, zip_file: zipfile.ZipFile) -> None:
        self.zip_file = zip_file
        self.cache: dict[str, np.ndarray] = {}

    def __call__(self, persid: str) -> np.ndarray:
        """Return the array that a pickle refers to."""
        kind, _, name = persid.partition(".")
        if kind not in ("ndarray", "gpuarray"):
            raise pickle.UnpicklingError(f"unknown kind of array in a pickle: {persid!r}")
        if name not in self.cache:
            with self.zip_file.open(name) as stored:
                if kind == "gpuarray":
                    pickle.load(stored)  # the name of the device
                self.cache[name] = np.lib.format.read_array(stored)
        return self.cache[name]


def dump(
    obj: Any,
    file_handler: BinaryIO,
    protocol: int = DEFAULT_PROTOCOL,
    persistent_id: Callable[[zipfile.ZipFile], Any] = PersistentSharedVariableID,
) -> None:
    """Pickle an object into a zip file, its arrays as members that `numpy.load` can read.

    Parameters
    ----------
    obj : object
    file_handler : file, opened for binary writing
    protocol : int
    persistent_id : callable
        Called with the zip file; what it returns is called with each object, and returns None for
        those that belong into the pickle. The pickle is the member ``pkl``.

    Examples
    --------
    >>> import io, theano
    >>> file = io.BytesIO()
    >>> dump({"w": theano.shared(2.0, name="w")}, file)
    >>> float(load(file)["w"].get_value())
    2.0
    """
    with zipfile.ZipFile(file_handler, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        separate = persistent_id(archive)

        class Pickler(pickle.Pickler):
            def persistent_id(self, obj: Any) -> Any:
                return separate(obj)

        zipadd(lambda f: Pickler(f, protocol).dump(obj), archive, _PICKLE)


def load(
    f: BinaryIO, persistent_load: Callable[[zipfile.ZipFile], Any] = PersistentNdarrayLoad
) -> Any:
    """Return the object that `dump` wrote.

    Parameters
    ----------
    f : file, opened for binary reading
    persistent_load : callable
        The counterpart of `dump`'s `persistent_id`.
    """
    with zipfile.ZipFile(f, "r") as archive, archive.open(_PICKLE) as stored:
        separate = persistent_load(archive)

        class Unpickler(CompatUnpickler):
            def persistent_load(self, pid: Any) -> Any:
                return separate(pid)

        return Unpickler(stored).load()


def zipadd(func: Callable[[Any], Any], zip_file: zipfile.ZipFile, name: str) -> None:
    """Add what `func` writes to the file it is given as a member of a zip file."""
    from io import BytesIO

    # The pickle and its arrays are written at the same time, and a zip file takes one at a time.
    memory = BytesIO()
    func(memory)
    zip_file.writestr(name, memory.getvalue())


def function_dump(
    filename: str,
    inputs: object,
    outputs: object = None,
    mode: object = None,
    updates: object = None,
    givens: object = None,
    no_default_updates: bool = False,
    accept_inplace: bool = False,
    name: str | None = None,
    rebuild_strict: bool = True,
    allow_input_downcast: bool | None = None,
    profile: object = None,
    on_unused_input: str | None = None,
    extra_tag_to_remove: str | Sequence[str] | None = None,
) -> None:
    """Write the arguments of a call of `theano.function` to a file, for a report of an error.

    Parameters
    ----------
    filename : str
        The file is read with `pickle.load`, and ``theano.function(**arguments)`` compiles again.
    extra_tag_to_remove : str or sequence of str, optional
        Attributes of `tag` to leave out.
    """
    arguments = {k: x for k, x in locals().items() if k not in ("filename", "extra_tag_to_remove")}
    with open(filename, "wb") as file:
        StripPickler(file, protocol=-1, extra_tag_to_remove=extra_tag_to_remove).dump(arguments)
