#include "cell_use.h"

namespace theano {

PyTypeObject *cell_type = nullptr;

namespace {

CellObject *cast(PyObject *self) { return reinterpret_cast<CellObject *>(self); }

PyObject *cell_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static const char *names[] = {"value", nullptr};
    PyObject *value = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Cell", const_cast<char **>(names), &value))
        return nullptr;
    PyObject *self = type->tp_alloc(type, 0);
    if (self) cast(self)->value = Py_XNewRef(value);
    return self;
}

int cell_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(cast(self)->value);
    return 0;
}

int cell_clear(PyObject *self) {
    Py_CLEAR(cast(self)->value);
    return 0;
}

void cell_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (cast(self)->weakrefs) PyObject_ClearWeakRefs(self);
    cell_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *get_value(PyObject *self, void *) {
    if (!cell_use::wait(cast(self), false)) return nullptr;
    PyObject *value = cast(self)->value;
    return Py_NewRef(value ? value : Py_None);
}

int set_value(PyObject *self, PyObject *value, void *) {
    if (!cell_use::wait(cast(self), true)) return -1;
    PyObject *old = cast(self)->value;
    cast(self)->value = Py_XNewRef(value);
    Py_XDECREF(old);
    return 0;
}

PyObject *read_value(PyObject *self, PyObject *function) {
    if (!cell_use::enter_reader(cast(self))) return nullptr;
    PyObject *value = cast(self)->value;
    Ref<> held = Ref<>::borrow(value ? value : Py_None);
    PyObject *result = PyObject_CallOneArg(function, held.get());
    cell_use::leave_reader(cast(self));
    return result;
}

PyMethodDef methods[] = {
    {"read", read_value, METH_O,
     "read(function, /)\n--\n\nfunction(value), during which no call overwrites the value."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"value", get_value, set_value,
     "The object in the cell, once the machine code of no other thread updates it; set once no "
     "other thread is in a call that updates it. Deleting it makes the cell empty.",
     nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CellObject, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

const char doc[] =
    "Cell(value=None)\n--\n\n"
    "The storage of one shared variable, or of the default of one input. Functions share cells.";

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void *>(cell_new)},
    {Py_tp_dealloc, reinterpret_cast<void *>(cell_dealloc)},
    {Py_tp_traverse, reinterpret_cast<void *>(cell_traverse)},
    {Py_tp_clear, reinterpret_cast<void *>(cell_clear)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_tp_doc, const_cast<char *>(doc)},
    {0, nullptr},
};

PyType_Spec spec = {"theano._core.runtime.native.Cell", sizeof(CellObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};

}  // namespace

int add_cell_type(PyObject *module) {
    cell_type = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
    return cell_type ? PyModule_AddType(module, cell_type) : -1;
}

}  // namespace theano
