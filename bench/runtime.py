"""The ds runtime's C interface (runtime/include/ds/runtime.h) through ctypes: what a benchmark needs of it."""

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np

# ds_type
_TYPES = {
    np.dtype(np.float32): 0,
    np.dtype(np.float64): 1,
    np.dtype(np.float16): 2,
    np.dtype(np.int8): 4,
    np.dtype(np.int16): 5,
    np.dtype(np.int32): 6,
    np.dtype(np.int64): 7,
    np.dtype(np.uint8): 8,
    np.dtype(np.uint16): 9,
    np.dtype(np.uint32): 10,
    np.dtype(np.uint64): 11,
    np.dtype(np.bool_): 12,
}
_VERIFY = {"full": 0, "code": 1}  # ds_verify
_DTYPES = {code: dtype for dtype, code in _TYPES.items()}


class RuntimeFailure(RuntimeError):
    """A call failed; the message is the runtime's."""


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("type", ctypes.c_int),
        ("rank", ctypes.c_int32),
        ("sizes", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("data", ctypes.c_void_p),
        ("capacity", ctypes.c_uint64),
    ]


class _LoadOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("threads", ctypes.c_int32),
        ("verify", ctypes.c_int),
        ("inspect_only", ctypes.c_int32),
    ]


def _open(library: Path) -> ctypes.CDLL:
    if not library.exists():
        raise RuntimeFailure(f"{library} does not exist; build it with: cmake --build --preset release")
    runtime = ctypes.CDLL(str(library))
    pointer = ctypes.c_void_p
    tensors = ctypes.POINTER(_Tensor)
    runtime.ds_last_error.restype = ctypes.c_char_p
    runtime.ds_runtime_version.restype = ctypes.c_char_p
    runtime.ds_module_load.argtypes = [ctypes.c_char_p, ctypes.POINTER(_LoadOptions), ctypes.POINTER(pointer)]
    runtime.ds_module_release.argtypes = [pointer]
    runtime.ds_module_release.restype = None
    runtime.ds_context_create.argtypes = [pointer, pointer, ctypes.POINTER(pointer)]
    runtime.ds_context_release.argtypes = [pointer]
    runtime.ds_context_release.restype = None
    runtime.ds_invoke.argtypes = [
        pointer, ctypes.c_char_p, tensors, ctypes.c_size_t, tensors, ctypes.c_size_t, pointer
    ]  # fmt: skip
    return runtime


class Call:
    """A prepared call: invoking it again costs one foreign call and copies nothing."""

    def __init__(
        self,
        session: "Session",
        inputs: Mapping[str, np.ndarray],
        outputs: tuple[str, ...],
        memory: Mapping[str, np.ndarray],
    ) -> None:
        self._session = session
        # ascontiguousarray gives a scalar a dim.
        self._arrays = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in inputs.items()}
        self._sizes = [(ctypes.c_int64 * array.ndim)(*array.shape) for array in self._arrays.values()]
        self._inputs = (_Tensor * len(self._arrays))()
        for tensor, sizes, (name, array) in zip(self._inputs, self._sizes, self._arrays.items()):
            tensor.name, tensor.type, tensor.rank = name.encode(), _TYPES[array.dtype], array.ndim
            tensor.sizes, tensor.data, tensor.capacity = sizes, array.ctypes.data, array.nbytes
        self._names = [name.encode() for name in outputs]
        self._memory = [memory.get(name) for name in outputs]
        self._outputs = (_Tensor * len(outputs))()

    def __call__(self) -> None:
        """Runs the entry; results without memory of the caller's go to the context's own buffers."""
        for tensor, name, memory in zip(self._outputs, self._names, self._memory):
            # every field but the name is set on return, so each call asks for the context's buffer anew
            tensor.name, tensor.rank, tensor.sizes, tensor.strides, tensor.data, tensor.capacity = name, 0, None, None, None, 0
            if memory is not None:
                tensor.type, tensor.data, tensor.capacity = _TYPES[memory.dtype], memory.ctypes.data, memory.nbytes
        self._session.check(
            self._session.runtime.ds_invoke(
                self._session.context, None, self._inputs, len(self._inputs), self._outputs, len(self._outputs), None
            )
        )

    def results(self) -> list[np.ndarray]:
        """Copies of the last call's outputs."""
        arrays = []
        for tensor in self._outputs:
            shape, dtype = tensor.sizes[: tensor.rank], _DTYPES[tensor.type]
            count = int(np.prod(shape))
            data = ctypes.string_at(tensor.data, count * dtype.itemsize)
            arrays.append(np.frombuffer(data, dtype).reshape(shape))
        return arrays


class Session:
    """A loaded artifact with one context."""

    def __init__(self, library: Path, artifact: Path, threads: int, verify: str = "full") -> None:
        self.runtime = _open(library)
        self.version = self.runtime.ds_runtime_version().decode()
        self.module, self.context = ctypes.c_void_p(), ctypes.c_void_p()
        options = _LoadOptions(ctypes.sizeof(_LoadOptions), threads, _VERIFY[verify], 0)
        self.check(self.runtime.ds_module_load(str(artifact).encode(), options, self.module))
        self.check(self.runtime.ds_context_create(self.module, None, self.context))

    def check(self, status: int) -> None:
        """Raises the runtime's message when a call failed."""
        if status != 0:
            raise RuntimeFailure(self.runtime.ds_last_error().decode(errors="replace"))

    def prepare(
        self,
        inputs: Mapping[str, np.ndarray],
        outputs: tuple[str, ...],
        memory: Mapping[str, np.ndarray] | None = None,
    ) -> Call:
        """Prepares a call of the only entry. `memory` is that of some outputs: of an input that may be updated in place, its
        own array, which must be contiguous then."""
        return Call(self, inputs, outputs, memory or {})

    def close(self) -> None:
        """Gives context and module back."""
        self.runtime.ds_context_release(self.context)
        self.runtime.ds_module_release(self.module)
