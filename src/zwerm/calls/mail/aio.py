"""Sends mails through one server (SMTP, RFC 5321)."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Final
from urllib.parse import unquote, urlsplit

import aiosmtplib

from zwerm.core.errors import LocalProtocolError, TransportError

TIMEOUT: Final = 20.0  # seconds for each step of one mail


class MailFailed(TransportError):
    """The server did not take a mail now; it may later."""


class MailRefused(TransportError):
    """The server will never take this mail."""


class SmtpMailer:
    """Sends by `smtp://[NAME:PASSWORD@]HOST[:PORT]`, with TLS where it is offered, or by `smtps://`, always with it."""

    def __init__(self, url: str, sender: str) -> None:
        """`sender` is the address that mails come from.

        Raises:
            LocalProtocolError: no such URL, or no address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise LocalProtocolError(
                f"{url[:60]!r} is no mail server; expected a form like smtp://mail.example.org:587"
            )
        if "@" not in sender:
            raise LocalProtocolError(f"{sender[:60]!r} is no address to send mails from")
        self._is_tls = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._is_tls else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self.sender = sender

    async def send(self, letter: EmailMessage) -> None:
        """Hand a mail to the server.

        Raises:
            MailFailed: it may be tried again.
            MailRefused: it need not be.
        """
        try:
            await aiosmtplib.send(
                letter,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._is_tls,
                timeout=TIMEOUT,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = min((each.code for each in error.recipients), default=500)
            raise (MailRefused if code >= 500 else MailFailed)(f"the mail server answered {code}") from error
        except aiosmtplib.SMTPResponseException as error:
            is_final = error.code >= 500 and not isinstance(error, aiosmtplib.SMTPAuthenticationError)
            raise (MailRefused if is_final else MailFailed)(f"the mail server answered {error.code}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailFailed(f"the mail server does not answer: {str(error)[:100]}") from error
