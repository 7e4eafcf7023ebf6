"""The names by which ICE knows a connection here (libp2p specs, webrtc/webrtc-direct.md, "Browser to public Server").

There is no signaling, so the dialer draws one string, and it is user fragment and password of both sides: whoever
listens reads it off the first request. It authenticates nobody; DTLS and noise do.
"""

from __future__ import annotations

import re
import string
from random import Random
from typing import Final

from zwerm.webrtc.ice.credentials import Credentials
from zwerm.webrtc.ice.first_request import FirstRequestRule

PREFIX: Final = "libp2p+webrtc+v1/"
_LENGTH: Final = 32  # characters behind the prefix, as js-libp2p and go-libp2p draw
_ALPHABET: Final = string.ascii_letters + string.digits

# What others send behind the prefix is left to them; RFC 8839 section 5.4 has the characters and the length.
RULE: Final = FirstRequestRule(re.compile(re.escape(PREFIX) + r"[A-Za-z0-9+/]{4,239}"), password_of=str)


def draw_credentials(random: Random) -> Credentials:
    """The credentials of both sides of a connection that we dial."""
    ufrag = PREFIX + "".join(random.choice(_ALPHABET) for _ in range(_LENGTH))
    return Credentials(ufrag, ufrag)
