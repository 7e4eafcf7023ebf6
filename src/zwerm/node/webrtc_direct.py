"""webrtc-direct for the node: its certificate, whose hash is in the node's addresses, is kept in the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from zwerm.core.disk_failure import disk_error
from zwerm.libp2p.transports.webrtc_direct.certificate import CertificateKeeper
from zwerm.libp2p.transports.webrtc_direct.transport import WebRtcDirectTransport
from zwerm.node.atomic import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from zwerm.net.shared_udp import UdpPorts
    from zwerm.node.node import Node

CERTIFICATE_NAME: Final = "webrtc-direct.pem"


def direct_transport(node: Node, ports: UdpPorts) -> WebRtcDirectTransport:
    """Return the transport of `node`, which shares `ports` with others."""
    certificates = kept_certificate(node.repository.path)
    return WebRtcDirectTransport(node.repository.key, certificates=certificates, ports=ports)


def kept_certificate(repository: Path) -> CertificateKeeper:
    """Keep the certificate in a repository, readable by its owner alone."""
    path = repository / CERTIFICATE_NAME

    def load() -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk_error(f"read {path}", error) from error

    return CertificateKeeper(load, lambda pem: write_atomically(path, pem, mode=0o600))
