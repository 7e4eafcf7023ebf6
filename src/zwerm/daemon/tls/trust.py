"""The pages on which a telephone comes to trust the authority of this house: three steps, for iOS and Android.

They come by plain HTTP, for there is no trust yet. So the first step after the download compares the fingerprint with
the one that the terminal and the web app of the node's own machine show.
"""

from __future__ import annotations

import html
import plistlib
import uuid
from typing import Final

from zwerm.daemon.http.exchange import Exchange
from zwerm.daemon.tls.authority import Authority
from zwerm.daemon.tls.trust_words import STYLE, WORDS, Words

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}
PROFILE: Final = "/trust/zwerm.mobileconfig"
CERTIFICATE: Final = "/trust/zwerm.crt"
_STYLE: Final = "/trust/style.css"


class TrustPages:
    """Answers requests below `/trust`."""

    def __init__(self, authority: Authority, machine: str) -> None:
        self._authority = authority
        self._machine = machine

    async def __call__(self, exchange: Exchange, secure: str) -> None:
        """Answer one request; `secure` is the origin that the last step leads to."""
        path = exchange.raw_path
        if path == "/trust":
            agent = exchange.headers.get("User-Agent", "")
            body = self.page(words_for(exchange.headers.get("Accept-Language", "")), system_of(agent), secure)
            await exchange.send(200, {**_HEADERS, "Content-Type": "text/html; charset=utf-8"}, body.encode())
        elif path == PROFILE:
            kind = {"Content-Type": "application/x-apple-aspen-config"}
            await exchange.send(200, {**_HEADERS, **kind, **_named("zwerm.mobileconfig")}, self.profile())
        elif path == CERTIFICATE:
            kind = {"Content-Type": "application/x-x509-ca-cert"}
            await exchange.send(200, {**_HEADERS, **kind, **_named("zwerm.crt")}, self._authority.der)
        elif path == _STYLE:
            await exchange.send(200, {**_HEADERS, "Content-Type": "text/css; charset=utf-8"}, STYLE.encode())
        else:
            await exchange.send(404, {**_HEADERS, "Content-Type": "text/plain"}, b"404\n")

    def page(self, words: Words, system: str, secure: str) -> str:
        """Return the page; the steps of `system` (ios, android or other) are open, the others folded."""
        steps = "".join(self._steps(words, each, open_=each == system) for each in ("ios", "android", "other"))
        halves = self._authority.fingerprint.split(":")
        fingerprint = "<br>".join(" ".join(halves[start : start + 8]) for start in range(0, len(halves), 8))
        machine = html.escape(self._machine)
        return (
            f'<!doctype html><html lang="{words["language"]}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<meta name="color-scheme" content="light dark"><title>{words["title"]}</title>'
            f'<link rel="stylesheet" href="{_STYLE}"></head><body><main>'
            f"<h1>{words['title']}</h1><p>{words['why'].format(machine=machine)}</p>{steps}"
            f'<section><h2>{words["compare"]}</h2><p>{words["compareText"]}</p><p class="mono">{fingerprint}</p>'
            f'</section><p><a class="go" href="{html.escape(secure)}/">{words["go"]}</a></p>'
            f'<p class="quiet">{words["goText"]}</p></main></body></html>'
        )

    def _steps(self, words: Words, system: str, *, open_: bool) -> str:
        items = "".join(f"<li>{words[f'{system}{number}']}</li>" for number in (1, 2, 3))
        link = PROFILE if system == "ios" else CERTIFICATE
        items = items.replace("{link}", link)
        name = words[system]
        return f"<details{' open' if open_ else ''}><summary>{name}</summary><ol>{items}</ol></details>"

    def profile(self) -> bytes:
        """Return a configuration profile (Apple, "Configuration Profile Reference") with the authority."""
        own = uuid.uuid5(uuid.NAMESPACE_OID, self._authority.fingerprint)
        name = f"zwerm ({self._machine})"
        return plistlib.dumps(
            {
                "PayloadContent": [
                    {
                        "PayloadCertificateFileName": "zwerm.crt",
                        "PayloadContent": self._authority.der,
                        "PayloadDisplayName": name,
                        "PayloadIdentifier": f"zwerm.authority.{own}",
                        "PayloadType": "com.apple.security.root",
                        "PayloadUUID": str(uuid.uuid5(own, "certificate")).upper(),
                        "PayloadVersion": 1,
                    }
                ],
                "PayloadDisplayName": name,
                "PayloadIdentifier": f"zwerm.{own}",
                "PayloadRemovalDisallowed": False,
                "PayloadType": "Configuration",
                "PayloadUUID": str(own).upper(),
                "PayloadVersion": 1,
            }
        )


def words_for(accepted: str) -> Words:
    """Return the words in the first language of an Accept-Language header that there are words in."""
    for part in accepted.split(",")[:16]:
        if (found := WORDS.get(part.strip()[:2].lower())) is not None:
            return found
    return WORDS["en"]


def system_of(agent: str) -> str:
    """What a User-Agent header says it runs on."""
    if "iPhone" in agent or "iPad" in agent:
        return "ios"
    return "android" if "Android" in agent else "other"


def short(fingerprint: str) -> str:
    """Return the part of a fingerprint that people compare first: its first eight bytes."""
    return " ".join(fingerprint.split(":")[:8])


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
