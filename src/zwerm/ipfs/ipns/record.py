"""IPNS records (specs.ipfs.tech, "IPNS Record"): what a key's holder signed about where its name points.

Version 2 signs `data`, a dag-cbor document; the fields of version 1 beside it are copies for old readers, believed by
nobody here and refused where they say something else. `Record.parse` reads and checks the form; whether a record is
its name's and still alive is for `verify` to say, with the time as an argument.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final, Self

from zwerm.core import protobuf
from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.identity.keys import PrivateKey, PublicKey
from zwerm.identity.peer_id import PeerId
from zwerm.ipfs.ipld import dag_cbor
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipns import timestamp

MAX_RECORD: Final = 10_240  # bytes ("Record Size Limit")
MAX_SEQUENCE: Final = 2**64 - 1
MEDIA_TYPE: Final = "application/vnd.ipfs.ipns-record"

_VALUE, _SIGNATURE_V1, _VALIDITY_TYPE, _VALIDITY, _SEQUENCE, _TTL, _PUBLIC_KEY, _SIGNATURE_V2, _DATA = range(1, 10)
_BYTES: Final = frozenset((_VALUE, _SIGNATURE_V1, _VALIDITY, _PUBLIC_KEY, _SIGNATURE_V2, _DATA))
_COPIES: Final = {
    _VALUE: "Value",
    _VALIDITY: "Validity",
    _VALIDITY_TYPE: "ValidityType",
    _SEQUENCE: "Sequence",
    _TTL: "TTL",
}

_V2_PREFIX: Final = b"ipns-signature:"
_EOL: Final = 0  # the one validity type there is
_MAX_TTL: Final = 2**63 - 1  # nanoseconds, 292 years; a larger one cannot be told from a mistake


class RecordRefused(WireError):
    """A record that is no word of its name's holder, or not any more: expired, another's, wrongly signed."""


class RecordExpired(RecordRefused):
    """A record past its end of life."""


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """A record whose form is right. Make one with `create`, or read it with `parse`."""

    value: bytes  # a content path, as signed
    validity: int  # end of life, nanoseconds since 1970
    sequence: int  # uint64
    ttl: int  # nanoseconds an answer may be kept; a hint
    signature_v1: bytes  # empty in a record of version 2 only
    signature_v2: bytes
    public_key: bytes  # empty when the name carries it
    data: bytes  # dag-cbor, the signed bytes
    encoded: bytes  # the whole record as it came or goes

    @classmethod
    def create(
        cls,
        key: PrivateKey,
        path: str,
        *,
        sequence: int,
        validity: int,
        ttl: int,
        v1_compatible: bool = True,
    ) -> Self:
        """Sign where `key`'s name points.

        Raises:
            LocalProtocolError: a number that does not fit, or a path so long that nobody would take the record.
        """
        if not 0 <= sequence <= MAX_SEQUENCE or not 0 <= ttl <= _MAX_TTL:
            raise LocalProtocolError(f"sequence {sequence} and time to live {ttl}, expected 64 and 63 bits")
        value, eol = path.encode(), timestamp.serialize(validity)
        data = dag_cbor.encode(
            {"Value": value, "Validity": eol, "ValidityType": _EOL, "Sequence": sequence, "TTL": ttl}
        )
        signature_v2 = key.sign(_V2_PREFIX + data)
        name = PeerId.of(key.public)
        public_key = b"" if name.public_key is not None else key.public.serialize()
        signature_v1 = key.sign(value + eol + b"0") if v1_compatible else b""
        fields: list[tuple[int, int | bytes]] = []
        if v1_compatible:
            fields += [(_VALUE, value), (_SIGNATURE_V1, signature_v1), (_VALIDITY_TYPE, _EOL)]
            fields += [(_VALIDITY, eol), (_SEQUENCE, sequence), (_TTL, ttl)]
        if public_key:
            fields.append((_PUBLIC_KEY, public_key))
        fields += [(_SIGNATURE_V2, signature_v2), (_DATA, data)]
        encoded = b"".join(protobuf.serialize_field(number, field) for number, field in fields)
        if len(encoded) > MAX_RECORD:
            raise LocalProtocolError(f"IPNS record of {len(encoded)} bytes, the limit is {MAX_RECORD}")
        return cls(value, validity, sequence, ttl, signature_v1, signature_v2, public_key, data, encoded)

    @classmethod
    def parse(cls, encoded: bytes) -> Self:
        """Read untrusted bytes; nothing is verified but the form, and that the copies agree with what is signed.

        Raises:
            WireError: too large, not a record of version 2, or one whose copies for old readers say something else.
        """
        if len(encoded) > MAX_RECORD:
            raise WireError(f"IPNS record of {len(encoded)} bytes, the limit is {MAX_RECORD}")
        fields = _fields(encoded)
        signature, data = fields.get(_SIGNATURE_V2), fields.get(_DATA)
        if not isinstance(signature, bytes) or not isinstance(data, bytes) or not signature or not data:
            raise WireError("IPNS record without a signature of version 2")
        document = _document(data)
        if fields.get(_SIGNATURE_V1) or fields.get(_VALUE):
            _compare(fields, document)
        return cls(
            document["Value"],
            timestamp.parse(document["Validity"]),
            document["Sequence"],
            document["TTL"],
            fields.get(_SIGNATURE_V1, b""),
            signature,
            fields.get(_PUBLIC_KEY, b""),
            data,
            encoded,
        )

    def verify(self, name: PeerId, now: int) -> None:
        """Hold the record against its name and the time, nanoseconds since 1970.

        Raises:
            RecordRefused: another key's, or not what that key signed.
            RecordExpired: its end of life has come.
        """
        key = self._key(name)
        if not key.verify(self.signature_v2, _V2_PREFIX + self.data):
            raise RecordRefused("IPNS record with a wrong signature")
        if self.validity <= now:
            raise RecordExpired(f"IPNS record that ended at {timestamp.serialize(self.validity).decode()}")

    @property
    def path(self) -> ContentPath:
        """Where the name points.

        Raises:
            WireError: the signed value is no path.
        """
        try:
            text = self.value.decode()
        except UnicodeDecodeError:
            raise WireError(f"IPNS record whose value of {len(self.value)} bytes is not text") from None
        return ContentPath.from_text(text)

    @property
    def rank(self) -> tuple[int, int, bytes]:
        """What decides between records of one name: the greater is the newer, and equal means equal bytes."""
        return self.sequence, self.validity, self.encoded

    def _key(self, name: PeerId) -> PublicKey:
        try:
            if self.public_key:
                key = PublicKey.parse(self.public_key)
                if not name.matches(key):
                    raise RecordRefused("IPNS record signed by another key than its name's")
                return key
            inlined = name.public_key
        except WireError as error:
            raise RecordRefused(f"IPNS record with a key that cannot be read: {error}") from None
        if inlined is None:
            raise RecordRefused("IPNS record without a key, of a name that is only its hash")
        return inlined


def _fields(encoded: bytes) -> dict[int, Any]:
    """Return the fields we know; of a repeated one the last, as protobuf has it."""
    fields: dict[int, Any] = {}
    for number, value in protobuf.parse_fields(encoded):
        if _VALUE <= number <= _DATA:
            if isinstance(value, bytes) is not (number in _BYTES):
                raise WireError(f"field {number} of an IPNS record is {type(value).__name__}")
            fields[number] = value
    return fields


def _document(data: bytes) -> dict[str, Any]:
    document = dag_cbor.decode(data, strict=False)  # its bytes are signed, whichever order their writer gave them
    if not isinstance(document, dict):
        raise WireError("IPNS record whose signed data is no map")
    for field, kind in (("Value", bytes), ("Validity", bytes), ("ValidityType", int), ("Sequence", int), ("TTL", int)):
        value = document.get(field)
        if type(value) is not kind or (isinstance(value, int) and not 0 <= value <= MAX_SEQUENCE):
            raise WireError(f"IPNS record with {field} {str(value)[:40]}, expected {kind.__name__}")
    if document["ValidityType"] != _EOL:
        raise WireError(f"IPNS record of validity type {document['ValidityType']}, expected 0, an end of life")
    return document


def _compare(fields: dict[int, Any], document: dict[str, Any]) -> None:
    for number, name in _COPIES.items():
        copy = fields.get(number, b"" if number in _BYTES else 0)
        if copy != document[name]:
            raise WireError(f"IPNS record whose {name} for old readers differs from the signed one")
