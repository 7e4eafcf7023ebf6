"""A certificate from an ACME authority such as Let's Encrypt (RFC 8555), proved by HTTP-01, renewed before it ends.

The `acme` library of certbot speaks the protocol, in a thread; here is when, and where what it brings is kept: the
account's key, and the certificate with its own, all in the repository. Challenges are answered by the listener for
plain HTTP (`plain.py`), which an authority asks on port 80.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import time
from pathlib import Path
from typing import Any, Final

import zwerm
from zwerm.core.errors import LocalProtocolError, TransportError, ZwermError
from zwerm.daemon.tls.authority import write_secret
from zwerm.daemon.tls.certificate import Certificate, load_certificate
from zwerm.daemon.tls.source import Use
from zwerm.node.atomic import write_atomically

log = logging.getLogger("zwerm.https")

PATIENCE: Final = dt.timedelta(seconds=120)  # for one certificate, from the order to the chain
LEFT: Final = 1 / 3  # of its life that a certificate has left when a new one is asked for
FIRST_PAUSE: Final = 5.0  # seconds after a failure, doubled after each
LONGEST_PAUSE: Final = 6 * 3_600.0
LOOK_AGAIN: Final = 12 * 3_600.0  # seconds until the clock is looked at again, at most

Challenges = dict[str, str]  # what to answer, by the challenge's token


class AcmeCertificate:
    """The certificate of `--domain`."""

    def __init__(
        self,
        folder: Path,
        domain: str,
        directory: str,
        challenges: Challenges,
        *,
        trusted: Path | None = None,
        pause: float = FIRST_PAUSE,
    ) -> None:
        """Say for what, from whom, and where it is kept.

        Args:
            folder: takes the keys and the certificate.
            domain: the name it is for.
            directory: the URL of the authority's directory.
            challenges: where answers are put for as long as they are asked for.
            trusted: certificates in PEM that the authority's own HTTPS is checked against; None: the system's.
            pause: seconds after the first failure.
        """
        self._folder = folder
        self._domain = domain
        self._directory = directory
        self._challenges = challenges
        self._trusted = trusted
        self._pause = pause
        self.failure: str | None = None  # why there is no new certificate, while there should be one

    async def keep(self, use: Use) -> None:
        certificate = await asyncio.to_thread(self._kept)
        if certificate is not None:
            use(certificate)
        failures = 0
        while True:
            wait = _renewal(certificate) - time.time() if certificate is not None else 0.0
            if wait > 0:
                await asyncio.sleep(min(wait, LOOK_AGAIN))
                continue
            try:
                certificate = await asyncio.to_thread(self.obtain)
            except ZwermError as error:
                self.failure = str(error)
                pause = min(self._pause * 2**failures, LONGEST_PAUSE)
                failures += 1
                log.warning("no certificate for %s: %s; tried again in %.0f s", self._domain, error, pause)
                await asyncio.sleep(pause)
                continue
            failures, self.failure = 0, None
            use(certificate)
            log.info("there is a new certificate for %s", self._domain)

    def obtain(self) -> Certificate:
        """Ask for a certificate and keep it. Blocks for as long as the authority takes.

        Raises:
            TransportError: the authority is not there, or refuses; the kept certificate is as before.
            StorageError: it could not be kept.
        """
        from acme.errors import Error
        from josepy.errors import Error as JsonError
        from requests import RequestException

        try:
            chain, key = self._order()
        except (Error, JsonError, RequestException, OSError, ValueError) as error:
            raise TransportError(_words(error)) from error
        write_secret(self._key_path, key)
        write_atomically(self._certificate_path, chain, mode=0o644)
        return load_certificate(self._certificate_path, self._key_path)

    def _order(self) -> tuple[bytes, bytes]:
        from acme import challenges, client, crypto_util, messages

        account_key = self._account_key()
        verify: Any = str(self._trusted) if self._trusted is not None else True
        network = client.ClientNetwork(account_key, user_agent=f"zwerm/{zwerm.__version__}", verify_ssl=verify)
        try:
            speaker = client.ClientV2(client.ClientV2.get_directory(self._directory, network), network)
            self._sign_on(speaker)
            key = _new_key()
            order = speaker.new_order(crypto_util.make_csr(key, [self._domain]))
            tokens: list[str] = []
            try:
                for authorization in order.authorizations:
                    if authorization.body.status == messages.STATUS_VALID:
                        continue
                    found = [
                        each for each in authorization.body.challenges if isinstance(each.chall, challenges.HTTP01)
                    ]
                    if not found:
                        raise TransportError(f"the authority offers no proof by HTTP for {self._domain}")
                    response, validation = found[0].response_and_validation(account_key)
                    token = found[0].chall.encode("token")
                    tokens.append(token)
                    self._challenges[token] = validation
                    speaker.answer_challenge(found[0], response)
                deadline = dt.datetime.now() + PATIENCE  # noqa: DTZ005 -- what the library compares with
                done = speaker.poll_and_finalize(order, deadline)
            finally:
                for token in tokens:
                    self._challenges.pop(token, None)
            return done.fullchain_pem.encode(), key
        finally:
            network.session.close()

    def _sign_on(self, speaker: Any) -> None:
        from acme import errors, messages

        try:
            speaker.new_account(messages.NewRegistration.from_data(terms_of_service_agreed=True))
        except errors.ConflictError as known:
            speaker.net.account = messages.RegistrationResource(uri=known.location, body=messages.Registration())
            speaker.net.account = speaker.query_registration(speaker.net.account)

    def _account_key(self) -> Any:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa
        from josepy.jwk import JWKRSA

        path = self._folder / "acme-account.key"
        if path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            if not isinstance(key, rsa.RSAPrivateKey):
                raise LocalProtocolError(f"{path} is not the key of an account")
        else:
            key = rsa.generate_private_key(65_537, 2_048)
            write_secret(path, _pem(key))
        return JWKRSA(key=key)

    def _kept(self) -> Certificate | None:
        """The certificate of an earlier run, if it still holds."""
        if not self._certificate_path.exists():
            return None
        try:
            certificate = load_certificate(self._certificate_path, self._key_path)
        except LocalProtocolError as error:
            log.warning("the kept certificate is of no use: %s", error)
            return None
        return certificate if self._domain in certificate.names and certificate.expires > time.time() else None

    @property
    def _certificate_path(self) -> Path:
        return self._folder / f"{self._domain}.pem"

    @property
    def _key_path(self) -> Path:
        return self._folder / f"{self._domain}.key"


def _renewal(certificate: Certificate) -> float:
    """When a new certificate is due, in seconds since 1970."""
    return certificate.expires - (certificate.expires - certificate.begins) * LEFT


def _words(error: Exception) -> str:
    """Say in a line what the authority, or the way to it, said."""
    from acme.errors import ValidationError

    if isinstance(error, ValidationError):
        said = [
            f"{authorization.body.identifier.value}: {challenge.error.detail}"
            for authorization in error.failed_authzrs
            for challenge in authorization.body.challenges
            if challenge.error is not None
        ]
        return "; ".join(said) or "the name could not be proved"
    return " ".join(str(error).split())[:300] or type(error).__name__


def _new_key() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec

    return _pem(ec.generate_private_key(ec.SECP256R1()))


def _pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    found: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return found
