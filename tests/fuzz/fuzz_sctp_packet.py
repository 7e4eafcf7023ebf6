"""The chunks of a packet are refused with WireError, or they survive being written again."""

from __future__ import annotations

from zwerm.core.errors import WireError
from zwerm.webrtc.sctp.chunks import error, reconfig
from zwerm.webrtc.sctp.chunks.data import Data, IData
from zwerm.webrtc.sctp.chunks.forward_tsn import ForwardTsn, Skipped
from zwerm.webrtc.sctp.chunks.init import Features, Init
from zwerm.webrtc.sctp.chunks.reconfig import AddStreams, OutgoingReset, Response
from zwerm.webrtc.sctp.chunks.sack import Sack
from zwerm.webrtc.sctp.codes import Cause, ChunkType
from zwerm.webrtc.sctp.packet import Chunk, Header, chunks, serialize

_HEADER = Header(5_000, 5_000, 1)
_ALL = Features(partial_reliability=True, reconfiguration=True, interleaving=True, zero_checksum=True)
_CHUNKS = [
    Init(1, 131_072, 1_024, 2_048, 3, tuple(_ALL.parameters())).serialize(ChunkType.INIT),
    Sack(5, 1_000, ((2, 3), (5, 5)), (4,)).serialize(),
    Data(3, 1, 2, 3, 51, b"hello").serialize(),
    IData(5, 1, 2, 3, 0, 4, b"hello").serialize(),
    ForwardTsn(9, (Skipped(1, 2),)).serialize(interleaving=False),
    ForwardTsn(9, (Skipped(1, 2, is_unordered=True),)).serialize(interleaving=True),
    reconfig.serialize(Response(1, 1), OutgoingReset(1, 2, 3, (4, 5))),
    reconfig.serialize(AddStreams(1, 2, is_outgoing=True)),
    error.abort(Cause.USER_INITIATED, "bye"),
]
SEEDS = [serialize(_HEADER, [chunk]) for chunk in _CHUNKS] + [serialize(_HEADER, _CHUNKS)]


def fuzz(data: bytes) -> None:
    try:
        Header.parse(data)
        found = list(chunks(data))
    except WireError:
        return
    assert list(chunks(serialize(_HEADER, [chunk.serialize() for chunk in found]))) == found
    for chunk in found:
        try:
            _parse(chunk)
        except WireError:
            continue


def _parse(chunk: Chunk) -> None:
    match chunk.type:
        case ChunkType.INIT | ChunkType.INIT_ACK:
            init = Init.parse(chunk.value)
            assert Init.parse(_value(init.serialize(ChunkType.INIT))) == init
            init.unrecognized()
            assert isinstance(init.features, Features)
        case ChunkType.SACK:
            assert Sack.parse(chunk.value).serialize() == Chunk(ChunkType.SACK, 0, chunk.value).serialize()
        case ChunkType.DATA:
            data = Data.parse(chunk.flags, chunk.value)
            assert data.serialize() == chunk.serialize()
        case ChunkType.I_DATA:
            fragment = IData.parse(chunk.flags, chunk.value)
            assert IData.parse(chunk.flags, _value(fragment.serialize())) == fragment
        case ChunkType.FORWARD_TSN | ChunkType.I_FORWARD_TSN:
            interleaving = chunk.type == ChunkType.I_FORWARD_TSN
            forward = ForwardTsn.parse(chunk.value, interleaving=interleaving)
            assert (
                ForwardTsn.parse(_value(forward.serialize(interleaving=interleaving)), interleaving=interleaving)
                == forward
            )
        case ChunkType.RE_CONFIG:
            parameters = reconfig.parse(chunk.value)
            assert reconfig.parse(_value(reconfig.serialize(*parameters))) == parameters
        case ChunkType.ABORT | ChunkType.ERROR:
            assert error.describe(error.causes_untrusted(chunk.value))


def _value(written: bytes) -> bytes:
    return written[4 : int.from_bytes(written[2:4], "big")]
