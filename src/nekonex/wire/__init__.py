"""NEX data: annotated structures, and codecs compiled from them.

A structure, and how it is written and read::

    class RankingScoreData(Structure):
        category: UInt32
        score: UInt32
        groups: list[UInt8]

    context = WireContext("3.5.4")
    codec = context.codec(RankingScoreData)
    assert codec.decode(codec.encode(score)) == score
"""

from nekonex.wire.codec import Codec, RecordCodec
from nekonex.wire.conditions import Condition, Rev, V
from nekonex.wire.context import RecordField, WireContext
from nekonex.wire.errors import WireError
from nekonex.wire.holders import AnyData, HolderRegistry, UnknownData
from nekonex.wire.structure import Data, Structure, field
from nekonex.wire.types import (
    PID,
    Bool,
    Buffer,
    Double,
    Float,
    QBuffer,
    SInt8,
    SInt16,
    SInt32,
    SInt64,
    String,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
)
from nekonex.wire.variant import Variant

__all__ = [
    "PID",
    "AnyData",
    "Bool",
    "Buffer",
    "Codec",
    "Condition",
    "Data",
    "Double",
    "Float",
    "HolderRegistry",
    "QBuffer",
    "RecordCodec",
    "RecordField",
    "Rev",
    "SInt8",
    "SInt16",
    "SInt32",
    "SInt64",
    "String",
    "Structure",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "UnknownData",
    "V",
    "Variant",
    "WireContext",
    "WireError",
    "field",
]
