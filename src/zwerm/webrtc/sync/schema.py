"""What a thing in the shared state is made of: numbers with a range and a step, so that each takes few bits.

A state is a dict from the number of a thing to its values. On the wire and in history values are whole steps
(`Quantised`), the same on both sides to the last bit; a program sees floats.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.webrtc.sync.bits import BitReader, BitWriter

Quantised: TypeAlias = Mapping[int, tuple[int, ...]]
Values: TypeAlias = Mapping[int, Sequence[float]]

MAX_BITS = 32  # of one field


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One number of a thing: `minimum`, `minimum + step` and so on, in `bits` bits."""

    name: str
    bits: int
    minimum: float = 0.0
    step: float = 1.0
    wraps: bool = False  # behind the last value comes the first: an angle

    def __post_init__(self) -> None:
        """Refuse what cannot be written.

        Raises:
            LocalProtocolError: no bits, too many, or a step that is not above zero.
        """
        if not 0 < self.bits <= MAX_BITS or not self.step > 0 or not math.isfinite(self.minimum + self.step):
            raise LocalProtocolError(f"field {self.name!r} of {self.bits} bits with step {self.step}")

    @property
    def period(self) -> float:
        """How far apart two values are that are the same, where it wraps."""
        return self.step * (1 << self.bits)

    def quantise(self, value: float) -> int:
        """The nearest step; what lies outside is taken to the nearest end, or around."""
        if not math.isfinite(value):
            raise LocalProtocolError(f"field {self.name!r} cannot be {value}")
        steps = round((value - self.minimum) / self.step)
        last = (1 << self.bits) - 1
        return steps & last if self.wraps else min(max(steps, 0), last)

    def restore(self, steps: int) -> float:
        return self.minimum + steps * self.step


@dataclasses.dataclass(frozen=True, slots=True)
class Schema:
    """The fields of every thing; both sides have the same."""

    fields: tuple[Field, ...]
    id_bits: int = 10  # of the number of a thing, and so of how many there can be

    def __post_init__(self) -> None:
        """Refuse a schema that says nothing.

        Raises:
            LocalProtocolError: no fields, or numbers of more than 16 bits.
        """
        if not self.fields or not 0 < self.id_bits <= 16:
            raise LocalProtocolError(f"a schema of {len(self.fields)} fields with numbers of {self.id_bits} bits")

    def quantise(self, values: Values) -> Quantised:
        """Take a state to whole steps.

        Raises:
            LocalProtocolError: a number out of range, other fields, or a value that is no number.
        """
        found = {}
        for number, row in values.items():
            if not 0 <= number < 1 << self.id_bits or len(row) != len(self.fields):
                raise LocalProtocolError(f"thing {number} with {len(row)} values, expected {len(self.fields)}")
            found[number] = tuple(field.quantise(value) for field, value in zip(self.fields, row, strict=True))
        return found

    def restore(self, state: Quantised) -> dict[int, tuple[float, ...]]:
        return {
            number: tuple(field.restore(steps) for field, steps in zip(self.fields, row, strict=True))
            for number, row in state.items()
        }

    def write_delta(self, base: Quantised, state: Quantised) -> bytes:
        """What changed since `base`: for each changed thing its number, whether it is there, and its changed values."""
        writer = BitWriter()
        for number in sorted(base.keys() | state.keys()):
            old, new = base.get(number), state.get(number)
            if old == new:
                continue
            writer.put(1, 1)
            writer.put(number, self.id_bits)
            writer.put(int(new is not None), 1)
            if new is not None:
                self._write_row(writer, old or self._nothing(), new)
        writer.put(0, 1)
        return writer.data()

    def read_delta(self, base: Quantised, data: bytes) -> Quantised:
        """Apply what `write_delta` wrote to the same base.

        Raises:
            WireError: it is not that; things come in the order of their numbers, each once, each with a change.
        """
        reader, state, last = BitReader(data), dict(base), -1
        while reader.take(1):
            number = reader.take(self.id_bits)
            if number <= last:
                raise WireError(f"thing {number} after thing {last}")
            last = number
            if reader.take(1):
                state[number] = self._read_row(reader, state.get(number) or self._nothing())
            elif state.pop(number, None) is None:
                raise WireError(f"thing {number} removed, which is not there")
        reader.expect_end()
        return state

    def _nothing(self) -> tuple[int, ...]:
        return (0,) * len(self.fields)

    def _write_row(self, writer: BitWriter, old: tuple[int, ...], new: tuple[int, ...]) -> None:
        for field, before, after in zip(self.fields, old, new, strict=True):
            writer.put(int(before != after), 1)
            if before != after:
                writer.put(after, field.bits)

    def _read_row(self, reader: BitReader, old: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(
            reader.take(field.bits) if reader.take(1) else before
            for field, before in zip(self.fields, old, strict=True)
        )
