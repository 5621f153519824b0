// The Python face of the loader.
#include <new>

#include "loader.h"
#include "program.h"

namespace theano {

PyTypeObject *code_type = nullptr;

namespace {

struct CodeObject {
    PyObject_HEAD loader::Image *image;
    PyObject *weakrefs;
};

CodeObject *cast(PyObject *self) { return reinterpret_cast<CodeObject *>(self); }

void code_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    if (cast(self)->weakrefs) PyObject_ClearWeakRefs(self);
    if (cast(self)->image) loader::unload(*cast(self)->image);
    delete cast(self)->image;
    type->tp_free(self);
    Py_DECREF(type);
}

// The address of an extra symbol given by Python, or nullptr; sets an exception for a value that is
// no address, and where Python cannot make it.
void *extra_symbol(PyObject *symbols, const std::string &name) {
    if (!symbols || PyErr_Occurred()) return nullptr;
    Ref<> value(PyMapping_GetItemString(symbols, name.c_str()));
    if (value) return PyLong_AsVoidPtr(value.get());
    if (PyErr_ExceptionMatches(PyExc_KeyError)) PyErr_Clear();
    return nullptr;
}

PyObject *load_object(PyTypeObject *type, const Py_buffer &data, PyObject *symbols) {
    Ref<> self(type->tp_alloc(type, 0));
    if (!self) return nullptr;
    try {
        auto resolve = [symbols](const std::string &name) { return extra_symbol(symbols, name); };
        cast(self.get())->image =
            new loader::Image(loader::load(static_cast<const unsigned char *>(data.buf),
                                           static_cast<std::size_t>(data.len), resolve));
    } catch (const loader::BadObject &error) {
        PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const loader::UndefinedSymbol &error) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ImportError, error.what());
    } catch (const loader::NoPages &error) {
        PyErr_SetString(PyExc_MemoryError, error.what());
    } catch (const std::bad_alloc &) {
        PyErr_NoMemory();
    }
    return PyErr_Occurred() ? nullptr : self.release();
}

PyObject *code_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static const char *names[] = {"data", "symbols", nullptr};
    Py_buffer data;
    PyObject *symbols = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|O!:Code", const_cast<char **>(names), &data,
                                     &PyDict_Type, &symbols)) {
        return nullptr;
    }
    PyObject *self = load_object(type, data, symbols);
    PyBuffer_Release(&data);
    return self;
}

PyObject *code_address(PyObject *self, PyObject *name) {
    if (!PyUnicode_Check(name))
        return PyErr_Format(PyExc_TypeError, "a symbol is a str, not %R", name);
    const char *text = PyUnicode_AsUTF8(name);
    if (!text) return nullptr;
    try {
        auto found = cast(self)->image->symbols.find(text);
        if (found != cast(self)->image->symbols.end())
            return PyLong_FromUnsignedLongLong(found->second);
    } catch (const std::bad_alloc &) {
        return PyErr_NoMemory();
    }
    return PyErr_Format(PyExc_KeyError, "the machine code has no symbol %R", name);
}

PyObject *code_symbols(PyObject *self, void *) {
    Ref<> names(PyList_New(0));
    if (!names) return nullptr;
    for (const auto &symbol : cast(self)->image->symbols) {
        Ref<> name(PyUnicode_DecodeUTF8(symbol.first.data(),
                                        static_cast<Py_ssize_t>(symbol.first.size()), "replace"));
        if (!name || PyList_Append(names.get(), name.get()) < 0) return nullptr;
    }
    if (PyList_Sort(names.get()) < 0) return nullptr;
    return PyList_AsTuple(names.get());
}

PyObject *code_size(PyObject *self, void *) { return PyLong_FromSize_t(cast(self)->image->bytes); }

PyMethodDef methods[] = {
    {"address", code_address, METH_O,
     "address(symbol, /)\n--\n\nThe address of a symbol; KeyError without it."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"symbols", code_symbols, nullptr, "The global symbols, sorted.", nullptr},
    {"size", code_size, nullptr, "Bytes of memory that the code occupies.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CodeObject, weakrefs), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

const char doc[] =
    "Code(data, symbols={})\n--\n\n"
    "Machine code in memory, from the bytes of an ELF64 relocatable object. It lives as long as "
    "this object.\n"
    "`symbols` maps names to addresses, for symbols that the object needs and the runtime does not "
    "have.";

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void *>(code_new)},
    {Py_tp_dealloc, reinterpret_cast<void *>(code_dealloc)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_tp_doc, const_cast<char *>(doc)},
    {0, nullptr},
};

PyType_Spec spec = {"theano._core.runtime.native.Code", sizeof(CodeObject), 0, Py_TPFLAGS_DEFAULT,
                    slots};

}  // namespace

int add_code_type(PyObject *module) {
    code_type = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&spec));
    return code_type ? PyModule_AddType(module, code_type) : -1;
}

}  // namespace theano
