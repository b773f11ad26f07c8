"""Reads the tensors of a TensorFlow checkpoint without TensorFlow.

Format: the `.index` file is a LevelDB table (github.com/google/leveldb, doc/table_format.md) from a tensor's name to a
BundleEntryProto (tensorflow/core/protobuf/tensor_bundle.proto), which says where in the data file the tensor lies.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FOOTER = 48
_FLOAT = 1  # DataType.DT_FLOAT
_DTYPE, _SHAPE, _OFFSET, _SIZE = 1, 2, 4, 5  # fields of BundleEntryProto
_VARINT, _BYTES, _FIXED32 = 0, 2, 5  # wire types of protocol buffers


def read_floats(folder: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The float32 tensors by name, of a checkpoint in one shard whose prefix is empty."""
    index = (folder / ".index").read_bytes()
    data = (folder / ".data-00000-of-00001").read_bytes()
    tensors = {}
    for name, value in _table(index):
        entry = dict(_fields(value))
        if not name or entry.get(_DTYPE) != _FLOAT:
            continue
        sizes = [dict(_fields(size)).get(1, 0) for field, size in _fields(entry.get(_SHAPE, b"")) if field == _SHAPE]
        begin = entry.get(_OFFSET, 0)
        flat = np.frombuffer(data[begin : begin + entry[_SIZE]], "<f4")
        tensors[name.decode()] = flat.reshape(sizes)
    return tensors


def _table(index: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of an uncompressed LevelDB table."""
    footer = index[-_FOOTER:]
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)  # the metaindex block's handle
    for _, handle in _block(index, footer, at):
        yield from _block(index, handle, 0)


def _block(index: bytes, handle: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of the block whose offset and size stand at `at` of `handle`."""
    offset, at = _varint(handle, at)
    size, _ = _varint(handle, at)
    block = index[offset : offset + size]
    restarts = int.from_bytes(block[-4:], "little")
    at, end, key = 0, len(block) - 4 - 4 * restarts, b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _fields(message: bytes) -> Iterator[tuple[int, "int | bytes"]]:
    """Field numbers and values of a protocol buffers message."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
        else:
            length, at = _varint(message, at) if wire == _BYTES else (4 if wire == _FIXED32 else 8, at)
            yield tag >> 3, message[at : at + length]
            at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
