"""RFC 8292: the token says for whom, until when and from whom, and the public key proves it."""

from __future__ import annotations

import json

from zwerm.calls.identity import decode, verify
from zwerm.calls.push.vapid import LIFETIME, Vapid, new_key


def test_the_token_is_for_one_push_service_and_signed() -> None:
    vapid = Vapid(new_key(), "mailto:someone@example.org")
    scheme, _, rest = vapid.authorization("https://push.example:8443/a/b?c", 1_700_000_000.9).partition(" ")
    token, _, key = rest.removeprefix("t=").partition(", k=")
    head, claims, signature = token.split(".")
    assert (scheme, key) == ("vapid", vapid.public)
    assert json.loads(decode(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(decode(claims)) == {
        "aud": "https://push.example:8443",
        "exp": 1_700_000_000 + LIFETIME,
        "sub": "mailto:someone@example.org",
    }
    assert verify(key, signature, f"{head}.{claims}".encode())


def test_a_key_that_was_kept_is_the_same_key() -> None:
    kept = new_key()
    assert Vapid(kept, "mailto:a@b").public == Vapid(kept, "mailto:a@b").public != Vapid(new_key(), "mailto:a@b").public
