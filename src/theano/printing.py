"""Graphs as text."""

from theano._core.api.debug import picture as _picture
from theano._core.base.stubs import listed_in_stub as _listed_in_stub
from theano._core.legacy.paths import old_names as _old_names

_listed = _listed_in_stub(__name__, _old_names)


def __getattr__(name: str) -> object:
    # Old programs ask before they draw.
    if name == "pydot_imported":
        return _picture.can_draw()
    if name == "pydot_imported_msg":
        return "" if _picture.can_draw() else _picture.MISSING
    # Theano-PyMC has it, too; PyMC3 3.11 asks for it once it has imported pydot.
    if name == "Node" and (node := _picture.node_of_pydot()):
        return node
    return _listed(name)
