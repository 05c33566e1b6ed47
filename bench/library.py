# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model through its C table (runtime/include/nacre), with NumPy arrays. Knows the first fields of each struct only."""

import ctypes

import numpy

F32, I32 = 0, 1
DTYPES = {numpy.dtype(numpy.float32): F32, numpy.dtype(numpy.int32): I32}
POINTER, STATUS = ctypes.c_void_p, ctypes.c_int


class Error(ctypes.Structure):
    """nacre_error"""

    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 512)]


class Tensor(ctypes.Structure):
    """nacre_tensor"""

    _fields_ = [("data", POINTER), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32), ("shape", ctypes.c_int64 * 8)]


class Options(ctypes.Structure):
    """nacre_options"""

    _fields_ = [("threads", ctypes.c_int32), ("level", ctypes.c_char_p), ("max_dims", POINTER)]


class Api(ctypes.Structure):
    """nacre_api, up to `call`"""

    _fields_ = [
        ("parameters_create", ctypes.CFUNCTYPE(POINTER, POINTER, POINTER)),
        ("parameters_init", ctypes.CFUNCTYPE(STATUS, POINTER, ctypes.c_uint64, POINTER)),
        ("parameters_load", ctypes.CFUNCTYPE(STATUS, POINTER, ctypes.c_char_p, ctypes.c_uint32, POINTER)),
        ("parameters_save", POINTER),
        ("parameters_get", POINTER),
        ("parameters_set", POINTER),
        ("parameters_destroy", ctypes.CFUNCTYPE(None, POINTER)),
        ("context_create", ctypes.CFUNCTYPE(POINTER, POINTER, POINTER, POINTER, POINTER)),
        ("context_destroy", ctypes.CFUNCTYPE(None, POINTER)),
        ("function_index", ctypes.CFUNCTYPE(ctypes.c_int32, POINTER, ctypes.c_char_p)),
        ("call", ctypes.CFUNCTYPE(STATUS, POINTER, ctypes.c_int32, POINTER, ctypes.c_int32, POINTER, ctypes.c_int32, POINTER)),
    ]


class Model(ctypes.Structure):
    """nacre_model, up to `api`"""

    _fields_ = [("abi_version", ctypes.c_uint32), ("reserved", ctypes.c_uint32), ("name", ctypes.c_char_p),
                ("manifest", ctypes.c_char_p), ("api", ctypes.POINTER(Api))]


def tensor(array):
    """A borrowed view; the array must be C-contiguous and outlive it."""
    return Tensor(array.ctypes.data, DTYPES[array.dtype], array.ndim, (ctypes.c_int64 * 8)(*array.shape))


class Library:
    """One loaded library with one set of weights (None: it has none); a context for each thread count that is asked for."""

    def __init__(self, path, name, weights):
        self.error = Error()
        entry = getattr(ctypes.CDLL(str(path)), f"{name}_model")
        entry.restype = ctypes.POINTER(Model)
        self.model = entry()
        self.api = self.model.contents.api.contents
        self.parameters = self.check(self.api.parameters_create(self.model, ctypes.byref(self.error)))
        if weights and self.api.parameters_load(self.parameters, str(weights).encode(), 0, ctypes.byref(self.error)):
            raise RuntimeError(self.error.message.decode())

    def check(self, pointer):
        if not pointer:
            raise RuntimeError(self.error.message.decode())
        return pointer

    def context(self, threads):
        """A new context; it lives as long as the process."""
        options = Options(threads, None, None)
        return self.check(self.api.context_create(self.model, self.parameters, ctypes.byref(options), ctypes.byref(self.error)))

    def call(self, context, function, inputs, output):
        """Runs a function by name, writing into `output`."""
        index = self.api.function_index(self.model, function.encode())
        given = (Tensor * len(inputs))(*map(tensor, inputs))
        result = tensor(output)
        if self.api.call(context, index, given, len(inputs), ctypes.byref(result), 1, ctypes.byref(self.error)):
            raise RuntimeError(self.error.message.decode())
        return output
