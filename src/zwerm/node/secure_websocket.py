"""The certificate with which a node listens on secure WebSockets, which web pages served over HTTPS may dial.

`websocket.cert` and `websocket.key` name the files, and `addresses.swarm` says where: `/ip4/0.0.0.0/tcp/4003/tls/ws`.
Browsers check the certificate against a name, so the names in it are announced, with the port that is listened on.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final

from zwerm.core.errors import StorageError, WireError
from zwerm.multiformats.multiaddr import Multiaddr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zwerm.node.config import Config

MAX_NAMES: Final = 4  # of a certificate that are announced
_SECURE: Final = (("wss",), ("tls", "ws"))


def server_tls(config: Config) -> ssl.SSLContext | None:
    """Return what to listen with; None when no certificate is configured.

    Raises:
        StorageError: a file cannot be read, holds no certificate, or the key is another one's.
    """
    cert, key = config.text("websocket.cert"), config.text("websocket.key")
    if not cert:
        if key:
            raise StorageError("websocket.key is set, and websocket.cert is not: a key alone proves nothing")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key or None, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            words = f"the key in {key or cert} is not that of the certificate in {cert}"
        else:
            words = f"no certificate with its key in PEM form in {cert}{f' and {key}' if key else ''}"
        raise StorageError(f"websocket.cert: {words}") from None
    except OSError as error:
        where = cert if not key else f"{cert} or {key}"
        raise StorageError(f"websocket.cert: cannot read {where}: {error.strerror or error}") from None
    return context


def certificate_names(path: str) -> list[str]:
    """Return the names of hosts in a certificate, without those that stand for many.

    Raises:
        StorageError: it cannot be read.
    """
    from cryptography import x509

    try:
        with open(path, "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    except (OSError, ValueError) as error:
        raise StorageError(f"websocket.cert: cannot read {path}: {error}") from None
    return [name for name in names.get_values_for_type(x509.DNSName) if "*" not in name]


def named_addresses(listening: Iterable[Multiaddr], names: Iterable[str]) -> list[Multiaddr]:
    """Return the addresses at which browsers find what is listened on: each port of a secure WebSocket by each name."""
    ports = {
        address.value("tcp"): None
        for address in listening
        if address.names[:1] in (("ip4",), ("ip6",)) and address.names[2:] in _SECURE
    }
    found: list[Multiaddr] = []
    for name in list(names)[:MAX_NAMES]:
        for port in ports:
            try:
                found.append(Multiaddr.from_text(f"/dns/{name}/tcp/{port}/tls/ws"))
            except WireError:
                continue
    return found
