"""What a router says by UPnP is understood or a TransportError: an answer to a search, and a description."""

from __future__ import annotations

from async_upnp_client.client import UpnpRequester
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.const import HttpRequest, HttpResponse

from zwerm.core.errors import TransportError
from zwerm.net.mapping.upnp import SEARCH_TARGET, location_untrusted, understood

_ROUTER = "192.0.2.1"
SEEDS = [
    f"HTTP/1.1 200 OK\r\nST: {SEARCH_TARGET}\r\nLOCATION: http://{_ROUTER}:5000/x\r\n\r\n".encode(),
    (
        b'<root xmlns="urn:schemas-upnp-org:device-1-0"><device><serviceList><service><SCPDURL>/a</SCPDURL>'
        b"<controlURL>/b</controlURL></service></serviceList></device></root>"
    ),
    (
        b'<scpd xmlns="urn:schemas-upnp-org:service-1-0"><actionList><action><name>A</name></action></actionList>'
        b'<serviceStateTable><stateVariable sendEvents="no"><name>V</name><dataType>ui2</dataType></stateVariable>'
        b"</serviceStateTable></scpd>"
    ),
]


class _Answers(UpnpRequester):
    """Gives the description of a device, or the bytes under test for it, and those for everything else."""

    def __init__(self, description: bytes, rest: bytes) -> None:
        self._description = description
        self._rest = rest

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        body = self._description if http_request.url.endswith("/description") else self._rest
        return HttpResponse(200, {}, body.decode("utf-8", "replace"))


def fuzz(data: bytes) -> None:
    location_untrusted(data, (_ROUTER, 1_900), _ROUTER)
    for description in (data, SEEDS[1]):
        factory = UpnpFactory(_Answers(description, data), non_strict=True)
        coroutine = factory.async_create_device(f"http://{_ROUTER}/description")
        try:
            with understood("a description"):
                coroutine.send(None)
        except (TransportError, StopIteration):
            continue
