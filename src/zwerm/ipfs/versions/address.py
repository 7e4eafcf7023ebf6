"""Saying which version: a commit's CID or the beginning of it, `~N` for N versions back, or a date.

All CIDs of commits begin with the same seven characters, so a beginning counts from the eighth on: `PATH@` and at
least six characters of it, as `zwerm history` shows them. A CID from its very front will do too.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from typing import Final, TypeAlias

from zwerm.core.errors import LocalProtocolError, WireError
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

MIN_PREFIX: Final = 6  # characters
COMMON: Final = "bafyrei"  # how the text of every dag-cbor CID by sha2-256 begins

_BACK: Final = re.compile(r"~(\d{1,9})?")
_PREFIX: Final = re.compile(r"[a-z2-7]{6,59}")
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"


class BadVersion(LocalProtocolError):
    """The text names no version, or more than one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Back:
    """So many versions before the newest, as `history PATH` counts them."""

    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class AtTime:
    """The version that stood at a moment."""

    time: int  # milliseconds since 1970


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """A commit, by all or the beginning of its CID."""

    low: bytes  # the binary CIDs that begin so lie from `low` to `high`, both included
    high: bytes
    text: str

    @property
    def cid(self) -> CID | None:
        """The CID, when it was given whole."""
        return CID.parse(self.low) if self.low == self.high else None

    def matches(self, cid: CID) -> bool:
        return self.low <= bytes(cid) <= self.high


Address: TypeAlias = Back | AtTime | Named


def short(cid: CID) -> str:
    """Return the beginning of a commit's CID that people are shown."""
    text = str(cid)
    return text[len(COMMON) :][:12] if text.startswith(COMMON) else text


def split(text: str) -> tuple[str, str | None]:
    """Take `PATH@VERSION` apart; the version is None when what follows the last @ cannot be one.

    A file may have such a name: whoever has a tree at hand looks for one of the whole text first.
    """
    path, at, version = text.rpartition("@")
    if not at or not path or "/" in version:
        return text, None
    try:
        parse(version)
    except BadVersion:
        return text, None
    return path, version


def parse(text: str, *, zone: dt.tzinfo | None = None) -> Address:
    """Read a version. A date without a zone is one of `zone`, by default this machine's; a bare date is its end.

    Raises:
        BadVersion: the text is none.
    """
    back = _BACK.fullmatch(text)
    if back:
        return Back(int(back[1] or 1))
    if _PREFIX.fullmatch(text):
        return _named(text)
    moment = _moment(text, zone)
    if moment is not None:
        return moment
    try:
        cid = CID.from_text(text)
    except WireError:
        raise BadVersion(
            f"{text[:64]!r} is no version; expected a commit (its CID or six characters of it), ~N, or a date like "
            "2026-07-31 or 2026-07-31T12:00"
        ) from None
    return _exactly(cid, text)


def _named(text: str) -> Named:
    if len(text) == 59 and text.startswith("b"):
        try:
            return _exactly(CID.from_text(text), text)
        except WireError as error:
            raise BadVersion(f"{text!r} is no version: {error}") from None
    whole = text if text.startswith(COMMON) else COMMON + text
    if len(whole) > 59:
        raise BadVersion(f"{text!r} is too long for the beginning of a commit's CID")
    bits = 0
    for letter in whole[1:]:
        bits = bits << 5 | _ALPHABET.index(letter)
    count, size = 5 * (len(whole) - 1), 8 * 36
    if count > size:
        bits, count = bits >> count - size, size
    low = bits << size - count
    high = low | (1 << size - count) - 1
    return Named(low.to_bytes(36, "big"), high.to_bytes(36, "big"), text)


def _exactly(cid: CID, text: str) -> Named:
    if cid.codec != multicodec.DAG_CBOR:
        raise BadVersion(f"{text} is {multicodec.codec_name(cid.codec)}, and a commit is dag-cbor")
    return Named(bytes(cid), bytes(cid), text)


def _moment(text: str, zone: dt.tzinfo | None) -> AtTime | None:
    if not re.match(r"\d{4}-?\d\d", text):
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) <= len("2026-07-31"):
        moment = dt.datetime.combine(moment, dt.time.max, moment.tzinfo)
    if moment.tzinfo is None:
        moment = moment.astimezone() if zone is None else moment.replace(tzinfo=zone)
    try:
        return AtTime(int(moment.timestamp() * 1000))
    except (OverflowError, ValueError):
        return None
