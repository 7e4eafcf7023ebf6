"""The two packets of state synchronization (docs/sync.md): snapshots one way, inputs and acknowledgements the other."""

from __future__ import annotations

import dataclasses
import struct
from typing import Final, Self

from zwerm.core.cursor import Cursor
from zwerm.core.errors import WireError

SNAPSHOT: Final = 1
INPUTS: Final = 2
ACK_BITS: Final = 32  # snapshots before the newest that one acknowledgement covers
MAX_DISTANCE: Final = 255  # snapshots between one and its base
MAX_INPUTS: Final = 64  # in one packet
MAX_INPUT_SIZE: Final = 64  # bytes
LAST: Final = (1 << 32) - 1

_SNAPSHOT: Final = struct.Struct("!BIIBI")
_INPUTS: Final = struct.Struct("!BIIIBB")


@dataclasses.dataclass(frozen=True, slots=True)
class SnapshotPacket:
    """A state as its difference to an earlier one that the other side has."""

    sequence: int  # uint32, from 1
    tick: int  # uint32: the moment of the state, in ticks of the authority
    base: int  # how many sequences back; 0: to nothing
    processed: int  # uint32: the last input that the state includes; 0: none
    delta: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise WireError where it is none."""
        cursor = Cursor(data, "snapshot packet")
        kind, sequence, tick, base, processed = cursor.unpack(_SNAPSHOT)
        if kind != SNAPSHOT or not sequence or base >= sequence:
            raise WireError(f"packet of type {kind}, sequence {sequence}, base {base}")
        return cls(sequence, tick, base, processed, cursor.take_rest())

    def serialize(self) -> bytes:
        return _SNAPSHOT.pack(SNAPSHOT, self.sequence, self.tick, self.base, self.processed) + self.delta


@dataclasses.dataclass(frozen=True, slots=True)
class InputsPacket:
    """What arrived, and the inputs that are not known to have arrived."""

    newest: int  # uint32: the newest snapshot that came; 0: none
    earlier: int  # uint32: bit n says that snapshot newest - 1 - n came
    first: int  # uint32: number of the first input
    inputs: tuple[bytes, ...]  # of one size

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Raise WireError where it is none, or a limit is exceeded."""
        cursor = Cursor(data, "inputs packet")
        kind, newest, earlier, first, count, size = cursor.unpack(_INPUTS)
        if kind != INPUTS or count > MAX_INPUTS or size > MAX_INPUT_SIZE or first + count > LAST:
            raise WireError(f"packet of type {kind} with {count} inputs of {size} bytes from {first}")
        if bool(count) != bool(size) or bool(count) != bool(first):
            raise WireError(f"{count} inputs of {size} bytes from {first}")
        inputs = tuple(cursor.take(size) for _ in range(count))
        cursor.expect_end()
        return cls(newest, earlier, first, inputs)

    def serialize(self) -> bytes:
        size = len(self.inputs[0]) if self.inputs else 0
        head = _INPUTS.pack(INPUTS, self.newest, self.earlier, self.first, len(self.inputs), size)
        return head + b"".join(self.inputs)

    def acknowledged(self) -> list[int]:
        """The snapshots that came, the newest first."""
        if not self.newest:
            return []
        earlier = (self.newest - 1 - bit for bit in range(ACK_BITS) if self.earlier >> bit & 1)
        return [self.newest, *(sequence for sequence in earlier if sequence > 0)]
