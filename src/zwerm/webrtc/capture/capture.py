"""What a capture consists of, without a file: blocks in order, bounded, and keys only where they were asked for.

    capture = Capture(written.append, clock_offset=time.time() - now, max_size=1_000_000)
    tap = capture.tap()                    # one for each connection
    tap.received(datagrams, source, local, now)

There are two interfaces. "udp" has the datagrams as they were on the wire, with headers made up; "sctp" has what was in
the records of DTLS, as packets of SCTP over IP, which every analyser reads without a key.

Secrets have to stand in a file before the packets they open, but are known only when the handshake is nearly over. So a
tap with keys holds back what it sees until they are there, up to `MAX_HELD`. When a file is full the next one begins,
with a header and the secrets of its own: each can be read alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from zwerm.core.errors import LocalProtocolError
from zwerm.core.machine import Address, Instant, Transmit
from zwerm.webrtc.capture import pcapng
from zwerm.webrtc.capture.headers import sctp_packet, udp_packet

MIN_SIZE: Final = 131_072  # bytes of a file: the largest datagram has to fit beside what a file begins with
MAX_HELD: Final = (
    262_144  # bytes that a connection holds back while its keys are not known; a handshake has ten thousand
)
MAX_SECRETS: Final = 64  # connections whose keys are repeated in a new file: the newest

_UDP: Final = 0  # the numbers of the interfaces
_SCTP: Final = 1


class Write(NamedTuple):
    """Bytes to append; with `begins_file` to a new file, and the one before is complete."""

    data: bytes
    begins_file: bool


class Capture:
    """Everything that goes into one row of files."""

    def __init__(
        self, write: Callable[[Write], None], *, clock_offset: float, max_size: int, has_keys: bool = False
    ) -> None:
        """Begin the first file.

        Args:
            write: is given every block, in order; it does not raise.
            clock_offset: the time since 1970 less `now`, both in seconds.
            max_size: bytes that no file exceeds.
            has_keys: write the secrets of connections, so that whoever has the file can read what they said.

        Raises:
            LocalProtocolError: files too small for one datagram.
        """
        if max_size < MIN_SIZE:
            raise LocalProtocolError(f"capture files of {max_size} bytes, expected at least {MIN_SIZE}")
        self.has_keys = has_keys
        self.dropped = 0  # packets larger than a file
        self._clock_offset = clock_offset
        self._max_size = max_size
        self._size = 0  # of the present file
        self._secrets: deque[bytes] = deque(maxlen=MAX_SECRETS)  # blocks
        self._write = write
        self._begin_file()

    def tap(self) -> Tap:
        """Begin to capture one more connection."""
        return Tap(self)

    # For taps.

    def packet_block(self, interface: int, data: bytes, now: Instant, *, is_sent: bool) -> bytes:
        direction = pcapng.OUTBOUND if is_sent else pcapng.INBOUND
        return pcapng.packet(interface, int((now + self._clock_offset) * 1_000_000), data, direction)

    def add_secrets(self, key_log: bytes) -> None:
        block = pcapng.secrets(key_log)
        self.add(block)
        self._secrets.append(block)

    def add(self, block: bytes) -> None:
        """Append a block, to a new file if this one has no room."""
        if self._size + len(block) > self._max_size:
            self._begin_file()
            if self._size + len(block) > self._max_size:
                self.dropped += 1
                return
        self._size += len(block)
        self._write(Write(block, begins_file=False))

    def _begin_file(self) -> None:
        head = b"".join(
            (
                pcapng.section_header("zwerm"),
                pcapng.interface(pcapng.LINKTYPE_RAW, "udp", "datagrams; the headers of IP and UDP are made up"),
                pcapng.interface(pcapng.LINKTYPE_RAW, "sctp", "SCTP, as it was inside of DTLS"),
                *self._secrets,
            )
        )
        self._size = len(head)
        self._write(Write(head, begins_file=True))


class Tap:
    """Where one connection tells what passes. Nothing here raises, or changes what it is given."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._held: list[bytes] | None = [] if capture.has_keys else None  # None: nothing is held back
        self._held_size = 0
        self._here: Address | None = None  # where the last datagram left from

    @property
    def wants_keys(self) -> bool:
        """Whether `keys` does anything."""
        return self._capture.has_keys

    def sent(self, transmit: Transmit, now: Instant) -> None:
        """A datagram, or a run of them, was given to the network."""
        source = self._here = transmit.source or self._here or _nowhere(transmit.destination)
        for datagram in transmit.datagrams():
            self._add(_UDP, udp_packet(source, transmit.destination, datagram), now, is_sent=True)

    def received(self, datagrams: Iterable[bytes], source: Address, local: Address | None, now: Instant) -> None:
        """Datagrams came from `source`."""
        destination = local or self._here or _nowhere(source)
        for datagram in datagrams:
            self._add(_UDP, udp_packet(source, destination, datagram), now, is_sent=False)

    def sctp(
        self, packets: Iterable[bytes], source: Address, destination: Address, now: Instant, *, is_sent: bool
    ) -> None:
        """Packets of SCTP were sealed, or opened."""
        for packet in packets:
            self._add(_SCTP, sctp_packet(source[0], destination[0], packet), now, is_sent=is_sent)

    def keys(self, key_log: bytes) -> None:
        """The handshake left these secrets: lines of a key log. Without being asked for keys it forgets them."""
        if self._capture.has_keys:
            self._capture.add_secrets(key_log)
            self.flush()

    def flush(self) -> None:
        """Hold nothing back any more: the keys are there, or will not come."""
        held, self._held = self._held, None
        for block in held or ():
            self._capture.add(block)

    def _add(self, interface: int, packet: bytes, now: Instant, *, is_sent: bool) -> None:
        block = self._capture.packet_block(interface, packet, now, is_sent=is_sent)
        if self._held is None:
            self._capture.add(block)
            return
        self._held.append(block)
        self._held_size += len(block)
        if self._held_size > MAX_HELD:
            self.flush()


def _nowhere(like: Address) -> Address:
    return ("::" if ":" in like[0] else "0.0.0.0", 0)  # noqa: S104 - an address that is not known
