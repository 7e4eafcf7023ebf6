"""What may come near OpenSSL before the peer has proved who it is, and what has to wait until it has.

OpenSSL reserves memory for whatever size a handshake message claims, and keeps records that come too early. So only
plausible records pass, counted, and application data waits here, unopened.
"""

from __future__ import annotations

from zwerm.core.errors import WireError
from zwerm.webrtc.dtls.event import Config
from zwerm.webrtc.dtls.record import ContentType, Record, parse_handshake


class Gate:
    """Counts, judges and holds the records of one handshake."""

    __slots__ = ("_config", "_held", "dropped", "records")

    def __init__(self, config: Config) -> None:
        self.records = 0  # that came before the handshake ended
        self.dropped = 0  # that were refused, or found no room
        self._config = config
        self._held: list[bytes] = []

    def admits(self, record: Record) -> bool:
        """Whether OpenSSL may see a record while the handshake goes on; one that it may not is dropped."""
        is_admitted = self._is_plausible(record)
        self.dropped += not is_admitted
        return is_admitted

    def _is_plausible(self, record: Record) -> bool:
        if record.epoch == 1:
            return record.content_type is ContentType.HANDSHAKE  # Finished
        if record.epoch != 0 or record.content_type is ContentType.APPLICATION_DATA:
            return False
        if record.content_type is not ContentType.HANDSHAKE:
            return len(record.fragment) <= 2  # ChangeCipherSpec is one byte, an alert two
        try:
            fragments = parse_handshake(record)
        except WireError:
            return False
        return all(
            fragment.message_size <= self._config.max_message and fragment.message_sequence < self._config.max_messages
            for fragment in fragments
        )

    def hold(self, record: Record) -> None:
        """Keep a protected record for later, if there is room."""
        if len(self._held) < self._config.max_held_records:
            self._held.append(record.serialize())
        else:
            self.dropped += 1

    def take_held(self) -> list[bytes]:
        held, self._held = self._held, []
        return held
