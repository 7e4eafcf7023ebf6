"""The objects of a connection's transports, and its statistics, as `RTCPeerConnection` shows them."""

from __future__ import annotations

import time

from zwerm.webrtc.connection.transport import Event
from zwerm.webrtc.ice.events import ConnectionState, ConnectionStateChanged
from zwerm.webrtc.jsep.session import Session
from zwerm.webrtc.w3c.bundle_transport import BundleTransport
from zwerm.webrtc.w3c.certificate import AlgorithmIdentifier, RTCCertificate, generate_certificate
from zwerm.webrtc.w3c.dtls_transport import RTCDtlsTransport
from zwerm.webrtc.w3c.emitter import Emitter
from zwerm.webrtc.w3c.errors import InvalidAccessError
from zwerm.webrtc.w3c.ice_transport import RTCIceTransport
from zwerm.webrtc.w3c.sctp_transport import RTCSctpTransport
from zwerm.webrtc.w3c.stats import RTCStatsReport
from zwerm.webrtc.w3c.stats_records import StatsReporter


class TransportObjects(Emitter):
    """What `RTCPeerConnection` has besides signaling."""

    _bundle: BundleTransport
    _session: Session

    def __init__(self) -> None:
        super().__init__()
        self._sctp: RTCSctpTransport | None = None
        self._reporter: StatsReporter | None = None

    @property
    def sctp(self) -> RTCSctpTransport | None:
        """What carries data channels; None until an offer and its answer have agreed on some."""
        return self._objects() if self._bundle.transport.is_started else None

    async def getStats(self, selector: object = None) -> RTCStatsReport:  # noqa: N802 - the W3C's name
        """Say what was counted until now: records by their ids, see `docs/statistics.md`.

        Raises:
            InvalidAccessError: a selector, which would be a track: there are none.
        """
        if selector is not None:
            raise InvalidAccessError(f"statistics of {selector!r}, which no sender or receiver of this connection has")
        return self._statistics()

    def _statistics(self) -> RTCStatsReport:
        if self._reporter is None:
            self._reporter = StatsReporter(self._bundle.certificate.der)
        dtls = self._objects().transport
        return self._reporter.report(
            self._bundle.transport.statistics(),
            ice_state=dtls.iceTransport.state,
            dtls_state=dtls.state,
            now=self._bundle.now,
            wall=time.time(),
        )

    @staticmethod
    async def generateCertificate(keygenAlgorithm: AlgorithmIdentifier) -> RTCCertificate:  # noqa: N802, N803
        """Make a certificate for connections to come; arguments and errors are those of `generate_certificate`."""
        return await generate_certificate(keygenAlgorithm)

    def _objects(self) -> RTCSctpTransport:
        """The three objects, each of which leads to the one below it."""
        if self._sctp is None:
            dtls = RTCDtlsTransport(self._bundle, RTCIceTransport(self._bundle, self._session))
            self._sctp = RTCSctpTransport(self._bundle, dtls)
        return self._sctp

    def _tell_objects(self, event: Event) -> None:
        """Every event of the transport passes here, after the connection itself has dealt with it."""
        sctp = self._objects()
        sctp.transport.iceTransport.take(event)
        sctp.transport.take(event)
        sctp.take(event)
        if isinstance(event, ConnectionStateChanged) and event.state is ConnectionState.CLOSED:
            sctp.transport.close()
            sctp.close()
