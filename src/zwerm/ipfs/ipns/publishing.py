"""What the next record of a name has to say so that it takes the place of the last one, and when to sign it anew."""

from __future__ import annotations

from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.ipfs.ipns.record import MAX_SEQUENCE, Record
from zwerm.ipfs.ipns.store import OwnRecord
from zwerm.ipfs.ipns.timestamp import SECOND

DEFAULT_LIFETIME: Final = 48 * 3600 * SECOND  # as long as the DHT keeps records
DEFAULT_TTL: Final = 300 * SECOND  # "IPNS Record", "TTL", suggested default


class Plan(NamedTuple):
    """The numbers of the next record."""

    sequence: int
    validity: int  # nanoseconds since 1970


def plan(previous: Record | None, path: str, lifetime: int, now: int, sequence: int | None = None) -> Plan:
    """Choose the numbers of a record so that everybody prefers it to `previous`.

    The sequence grows when the path changes. It stays when only the life is prolonged, unless the new end of life would
    not be later: then nobody would take the new record, so the sequence grows too.

    Raises:
        LocalProtocolError: an asked-for `sequence` that is not above the last one, or no number is left.
    """
    validity = now + lifetime
    if previous is None:
        return Plan(sequence or 0, validity)
    if sequence is not None:
        if sequence <= previous.sequence:
            raise LocalProtocolError(f"sequence {sequence}, expected more than {previous.sequence}, the last one")
        return Plan(sequence, validity)
    changed = previous.value != path.encode() or validity <= previous.validity
    if changed and previous.sequence == MAX_SEQUENCE:
        raise LocalProtocolError(f"sequence {MAX_SEQUENCE} is the last there is; this name can point nowhere else")
    return Plan(previous.sequence + changed, validity)


def needs_renewal(own: OwnRecord, now: int) -> bool:
    """Whether one of our records should be signed anew: half of its life is over."""
    return own.record.validity - now <= own.lifetime // 2
