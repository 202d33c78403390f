"""The records of a TensorBoard event file.

The messages are those of tensorboardX, a package of 90 kB; it writes such files and does not read them.
TensorBoard itself does, behind a gRPC server and ten megabytes of web pages.

A file is records one after the other, each a length (8 bytes, little-endian), its checksum (4), the message,
and its checksum (4): https://github.com/tensorflow/tensorboard, `record_writer.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from normlaw_registry import InputError

PART = "tfevents"
"""What the name of such a file has in it."""
MOST = 2**20
"""Bytes of a record that is looked at: those of numbers have some fifty, larger ones are images and graphs."""
LARGEST = 2**31
"""Bytes of a record: the messages of protobuf have no more."""


def events(path: Path) -> Iterator[Any]:
    """Yield the events of a file in order; where it breaks off, as of a run that was killed, it ends.

    Raises:
        InputError: tensorboardX is not installed, or the file cannot be read or is no event file.

    """
    try:
        from google.protobuf.message import DecodeError
        from tensorboardX.proto.event_pb2 import Event
    except ImportError:
        raise InputError(
            "TensorBoard's event files are read by the package tensorboardX: pip install 'normlaw[tensorboard]'"
        ) from None
    try:
        with path.open("rb") as file:
            for at, record in _records(file, path):
                try:
                    yield Event.FromString(record)
                except DecodeError:
                    raise InputError(f"{path} is no event file: byte {at} begins no event") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


def _records(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    from tensorboardX.record_writer import masked_crc32c

    while True:
        at = file.tell()
        head = file.read(12)
        if len(head) < 12:
            return
        length, checksum = struct.unpack("<QI", head)
        if masked_crc32c(head[:8]) != checksum or length > LARGEST:
            raise InputError(f"{path} is no event file, or is damaged: wrong checksum at byte {at}")
        if length > MOST:
            file.seek(length + 4, 1)
            continue
        record = file.read(length + 4)
        if len(record) < length + 4:
            return
        if masked_crc32c(record[:-4]) != struct.unpack("<I", record[-4:])[0]:
            raise InputError(f"{path} is damaged: wrong checksum at byte {at}")
        yield at, record[:-4]
