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
_DIMENSION, _DIMENSION_SIZE = 2, 1  # fields of TensorShapeProto and of its Dim
_VARINT, _BYTES, _FIXED32 = 0, 2, 5  # wire types of protocol buffers


def read_floats(folder: Path) -> dict[str, npt.NDArray[np.float32]]:
    """The float32 tensors by name, of a checkpoint in one shard whose prefix is empty."""
    index = (folder / ".index").read_bytes()
    data = (folder / ".data-00000-of-00001").read_bytes()
    tensors = {}
    for name, value in _table(index):
        numbers, messages = _fields(value)
        if not name or numbers.get(_DTYPE) != _FLOAT:
            continue
        _, dimensions = _fields(b"".join(messages.get(_SHAPE, [])))
        shape = [_fields(dimension)[0].get(_DIMENSION_SIZE, 0) for dimension in dimensions.get(_DIMENSION, [])]
        begin = numbers.get(_OFFSET, 0)
        tensors[name.decode()] = np.frombuffer(data[begin : begin + numbers[_SIZE]], "<f4").reshape(shape)
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


def _fields(message: bytes) -> tuple[dict[int, int], dict[int, list[bytes]]]:
    """A protocol buffers message's numbers, and its strings and messages, by field; fixed-size fields are left out."""
    numbers: dict[int, int] = {}
    messages: dict[int, list[bytes]] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            numbers[field], at = _varint(message, at)
        elif wire == _BYTES:
            length, at = _varint(message, at)
            messages.setdefault(field, []).append(message[at : at + length])
            at += length
        else:
            at += 4 if wire == _FIXED32 else 8
    return numbers, messages


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number of 7 bits a byte, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return number, at
