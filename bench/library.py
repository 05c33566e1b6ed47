# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model through its C table (runtime/include/nacre), with NumPy arrays.

A `Call` holds its argument structs, so that running it again costs one call through ctypes and no other Python.
"""

import ctypes

import numpy

DTYPES = [numpy.dtype(numpy.float32), numpy.dtype(numpy.int32)]  # by nacre_dtype
MOST_RANK, MOST_DIMS = 8, 16
POINTER, STATUS, I32, I64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int32, ctypes.c_int64


class Error(ctypes.Structure):
    """nacre_error"""

    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 512)]


class Tensor(ctypes.Structure):
    """nacre_tensor"""

    _fields_ = [("data", POINTER), ("dtype", ctypes.c_int), ("rank", I32), ("shape", I64 * MOST_RANK)]


class Term(ctypes.Structure):
    """nacre_term"""

    _fields_ = [("coefficient", I64), ("power", ctypes.c_uint8 * MOST_DIMS)]


class Size(ctypes.Structure):
    """nacre_size"""

    _fields_ = [("terms", ctypes.POINTER(Term)), ("count", I64)]

    def at(self, dims):
        """The polynomial's value at a list of dims."""
        return sum(term.coefficient * int(numpy.prod([d**p for d, p in zip(dims, term.power)], dtype=object))
                   for term in self.terms[:self.count])


class Dim(ctypes.Structure):
    """nacre_dim"""

    _fields_ = [("name", ctypes.c_char_p), ("bound", I64)]


class Port(ctypes.Structure):
    """nacre_port"""

    _fields_ = [("name", ctypes.c_char_p), ("doc", ctypes.c_char_p), ("dtype", ctypes.c_int), ("rank", I32),
                ("shape", ctypes.POINTER(Size)), ("value_bound", I64), ("choices", POINTER), ("choice_count", I64),
                ("choice_dim", I32), ("choice_index_dim", I32)]


class Function(ctypes.Structure):
    """nacre_function"""

    _fields_ = [("name", ctypes.c_char_p), ("doc", ctypes.c_char_p), ("input_count", I32), ("output_count", I32),
                ("inputs", ctypes.POINTER(Port)), ("outputs", ctypes.POINTER(Port)), ("arena_bytes", Size), ("program", POINTER),
                ("writes_parameters", I32), ("reads_packed", I32)]


class Options(ctypes.Structure):
    """nacre_options"""

    _fields_ = [("threads", I32), ("level", ctypes.c_char_p), ("max_dims", POINTER), ("device", ctypes.c_char_p)]


class Api(ctypes.Structure):
    """nacre_api, up to `call`"""

    _fields_ = [
        ("parameters_create", ctypes.CFUNCTYPE(POINTER, POINTER, POINTER)),
        ("parameters_init", ctypes.CFUNCTYPE(STATUS, POINTER, ctypes.c_uint64, POINTER)),
        ("parameters_load", ctypes.CFUNCTYPE(STATUS, POINTER, ctypes.c_char_p, ctypes.c_uint32, POINTER)),
        ("parameters_save", POINTER),
        ("parameters_get", ctypes.CFUNCTYPE(STATUS, POINTER, ctypes.c_char_p, POINTER, POINTER)),
        ("parameters_set", POINTER),
        ("parameters_destroy", ctypes.CFUNCTYPE(None, POINTER)),
        ("context_create", ctypes.CFUNCTYPE(POINTER, POINTER, POINTER, POINTER, POINTER)),
        ("context_destroy", ctypes.CFUNCTYPE(None, POINTER)),
        ("function_index", ctypes.CFUNCTYPE(I32, POINTER, ctypes.c_char_p)),
        ("call", ctypes.CFUNCTYPE(STATUS, POINTER, I32, POINTER, I32, POINTER, I32, POINTER)),
    ]


class Model(ctypes.Structure):
    """nacre_model, up to `packed_bytes`"""

    _fields_ = [("abi_version", ctypes.c_uint32), ("tap_count", ctypes.c_uint32), ("name", ctypes.c_char_p),
                ("manifest", ctypes.c_char_p), ("api", ctypes.POINTER(Api)), ("parameter_bytes", I64), ("scratch_bytes", I64),
                ("dim_count", I32), ("parameter_count", I32), ("function_count", I32), ("kernel_count", I32), ("level_count", I32),
                ("least_count", I32), ("dims", ctypes.POINTER(Dim)), ("parameters", POINTER), ("functions", ctypes.POINTER(Function)),
                ("levels", POINTER), ("kernel_names", POINTER), ("training", ctypes.c_byte * 64), ("taps", POINTER), ("leasts", POINTER),
                ("packed_bytes", I64)]


def tensor(array):
    """A borrowed view; the array must be C-contiguous and outlive it."""
    return Tensor(array.ctypes.data, DTYPES.index(array.dtype), array.ndim, (I64 * MOST_RANK)(*array.shape))


class Library:
    """One loaded library with one set of parameters: those of a safetensors file, else drawn by their initialisers with seed 0."""

    def __init__(self, path, name, weights=None):
        self.error = Error()
        self.path = path
        entry = getattr(ctypes.CDLL(str(path)), f"{name}_model")
        entry.restype = ctypes.POINTER(Model)
        self.model = entry()
        self.table = self.model.contents
        self.api = self.table.api.contents
        self.parameters = self.made(self.api.parameters_create(self.model, ctypes.byref(self.error)))
        if weights:
            self.done(self.api.parameters_load(self.parameters, str(weights).encode(), 0, ctypes.byref(self.error)))
        else:
            self.done(self.api.parameters_init(self.parameters, 0, ctypes.byref(self.error)))

    def made(self, pointer):
        """The pointer, which must not be null."""
        if not pointer:
            raise RuntimeError(self.error.message.decode())
        return pointer

    def done(self, status):
        """Passes a status on, which must be NACRE_OK."""
        if status:
            raise RuntimeError(self.error.message.decode())

    def parameter(self, name):
        """The parameter itself as an array: writing to it changes the model."""
        view = Tensor()
        self.done(self.api.parameters_get(self.parameters, name.encode(), ctypes.byref(view), ctypes.byref(self.error)))
        shape = tuple(view.shape[:view.rank])
        kind = ctypes.c_float if DTYPES[view.dtype] == numpy.float32 else I32
        return numpy.ctypeslib.as_array(ctypes.cast(view.data, ctypes.POINTER(kind)), shape or (1,)).reshape(shape)

    def context(self, threads):
        """A new context with room for the largest dims; it lives as long as the process."""
        options = Options(threads, None, None, None)
        return self.made(self.api.context_create(self.model, self.parameters, ctypes.byref(options), ctypes.byref(self.error)))

    def call(self, context, function, inputs):
        """A prepared call of a function by name; `inputs` are arrays, or numbers for scalars."""
        return Call(self, context, function, inputs)


class Call:
    """One function with its arguments; `outputs` are arrays of its own, written by each run."""

    def __init__(self, library, context, function, inputs):
        self.library, self.context = library, context
        self.index = library.api.function_index(library.model, function.encode())
        if self.index < 0:
            raise RuntimeError(f"expected a function of {library.path}, but got '{function}'")
        self.entry = library.table.functions[self.index]
        ports = self.entry.inputs[:self.entry.input_count]
        self.inputs = [numpy.ascontiguousarray(value, DTYPES[port.dtype]).reshape(numpy.shape(value)) for value, port in zip(inputs, ports)]
        self.dims = self.bind(ports)
        self.outputs = [numpy.empty([size.at(self.dims) for size in port.shape[:port.rank]], DTYPES[port.dtype])
                        for port in self.entry.outputs[:self.entry.output_count]]
        self.given = (Tensor * len(self.inputs))(*map(tensor, self.inputs))
        self.results = (Tensor * len(self.outputs))(*map(tensor, self.outputs))
        self.arguments = (context, self.index, self.given, len(self.inputs), self.results, len(self.outputs), ctypes.byref(library.error))

    def bind(self, ports):
        """The dims that the inputs have; a dim that no input names stays at its bound."""
        table = self.library.table
        dims = [dim.bound for dim in table.dims[:table.dim_count]]
        for port, array in zip(ports, self.inputs):
            for size, extent in zip(port.shape[:port.rank], array.shape):
                if size.count == 1 and size.terms[0].coefficient == 1 and sum(size.terms[0].power) == 1:
                    dims[list(size.terms[0].power).index(1)] = extent
        return dims

    def run(self):
        """Runs it once and returns the outputs."""
        if self.library.api.call(*self.arguments):
            raise RuntimeError(self.library.error.message.decode())
        return self.outputs

    def peak_bytes(self, threads):
        """What the call needs, as the library's table states it: arena, scratch, parameters and packed weights, inputs and outputs."""
        arrays = sum(array.nbytes for array in (*self.inputs, *self.outputs))
        table = self.library.table
        weights = table.parameter_bytes + (table.packed_bytes if self.entry.reads_packed else 0)
        return self.entry.arena_bytes.at(self.dims) + table.scratch_bytes * threads + weights + arrays
