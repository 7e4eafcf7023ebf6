"""Passkeys (W3C Web Authentication), by the package `webauthn`: what a browser is asked, and what it answered.

Import it on first use, in a thread: the package takes a while. A passkey is for the host of the service's origin, and
the person has to be there and to prove it, with a finger or a code.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from zwerm.calls.identity import decode, encode
from zwerm.calls.limits import Refused

_REQUIRED: Final = UserVerificationRequirement.REQUIRED


@dataclasses.dataclass(frozen=True, slots=True)
class Passkey:
    """What is kept of one."""

    id: str  # base64url
    key: bytes
    count: int  # how often it was used; a smaller number than before is a copy


class Passkeys:
    """The passkeys of one origin."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._host = urlsplit(origin).hostname or ""

    def ask_for_new(self, user: str, name: str, have: Sequence[str], challenge: bytes) -> dict[str, Any]:
        """Return what `navigator.credentials.create` takes, in its JSON form."""
        options = webauthn.generate_registration_options(
            rp_id=self._host,
            rp_name="zwerm",
            user_id=user.encode(),
            user_name=name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=decode(each)) for each in have],
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    def check_new(self, credential: str, challenge: bytes) -> Passkey:
        """Read what the browser made.

        Raises:
            Refused: it is not for this origin or challenge, or nothing that we know.
        """
        try:
            made = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise _refusal(error) from None
        return Passkey(encode(made.credential_id), made.credential_public_key, made.sign_count)

    def ask(self, challenge: bytes) -> dict[str, Any]:
        """Return what `navigator.credentials.get` takes, in its JSON form."""
        options = webauthn.generate_authentication_options(
            rp_id=self._host, challenge=challenge, user_verification=_REQUIRED
        )
        return dict(json.loads(webauthn.options_to_json(options)))

    def check(self, credential: str, passkey: Passkey, challenge: bytes) -> int:
        """Check the browser's answer; return how often the passkey was used.

        Raises:
            Refused: it is not that of this passkey, for this origin and challenge, or the passkey was copied.
        """
        try:
            return webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self._host,
                expected_origin=self._origin,
                credential_public_key=passkey.key,
                credential_current_sign_count=passkey.count,
                require_user_verification=True,
            ).new_sign_count
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise _refusal(error) from None


def id_of(credential: str) -> str:
    """Return which passkey an answer names.

    Raises:
        Refused: it names none.
    """
    try:
        document = json.loads(credential)
        return encode(decode(document["id"]))
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError) as error:
        raise _refusal(error) from None


def _refusal(error: BaseException) -> Refused:
    return Refused("bad-passkey", f"The passkey was not accepted: {str(error)[:100]}")
