"""The gateway: from a request to a content root, to a block, to a response.

Four steps, each a method: which content path does the request mean (path, subdomain, `?uri=`); does it belong on this
origin at all (redirects to the content's own); what does the path resolve to; in which form does it go out. The forms
that show content are in `deserialized`, those a client verifies by itself in `verifiable`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs, quote, unquote

from zwerm.core.errors import (
    LocalProtocolError,
    NotFoundError,
    ResourceLimitError,
    TransportError,
    WireError,
    ZwermError,
)
from zwerm.core.escaped import legible
from zwerm.ipfs.block import BlockNotFound
from zwerm.ipfs.exchange.failure import FetchFailed
from zwerm.ipfs.gateway import caching, deserialized, host, pages, redirects, verifiable
from zwerm.ipfs.gateway.denylist import Denylist
from zwerm.ipfs.gateway.formats import Format, Wish, negotiate
from zwerm.ipfs.gateway.message import GatewayRequest, GatewayResponse
from zwerm.ipfs.gateway.target import Target
from zwerm.ipfs.ipld.path import ContentPath
from zwerm.ipfs.ipld.resolve import PathNotFound, resolve
from zwerm.ipfs.ipns.record import RecordRefused
from zwerm.ipfs.names import NameNotFound, NameResolver, NoNames
from zwerm.ipfs.source import BlockSource
from zwerm.multiformats.cid import CID

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Range, User-Agent, X-Requested-With",
    "Access-Control-Expose-Headers": "Content-Length, Content-Range, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, "
    "X-Stream-Output",
}
_MAX_PATH: Final = 16_384  # characters of a request path
_MAX_PARAMETERS: Final = 64  # of a query
# Controls, and bytes that were no UTF-8; parts of a request come back in headers and pages.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclasses.dataclass(frozen=True, slots=True)
class GatewayConfig:
    """How this gateway answers."""

    subdomains: frozenset[str] = frozenset({"localhost"})  # hosts below which content has origins of its own
    html_redirect: bool = True  # send HTML asked for by path to the first subdomain gateway, away from a shared origin
    deserialized: bool = True  # False: a trustless gateway only (raw, car, ipns-record)
    dnslink: bool = False  # whether any other Host is looked up as a DNSLink name
    max_redirects_file: int = redirects.MAX_SIZE  # bytes


class Refused(ZwermError):
    """The request ends here, with this status."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        headers: dict[str, str] | None = None,
        *,
        details: Sequence[str] = (),
    ) -> None:
        """`details` are lines for a page below the message."""
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.details = tuple(details)


class Gateway:
    """Answers GET and HEAD for content. Keeps no state between requests, and may be asked many at once."""

    def __init__(
        self,
        source: BlockSource,
        config: GatewayConfig | None = None,
        names: NameResolver | None = None,
        denylist: Denylist | None = None,
    ) -> None:
        self._source = source
        self._config = config or GatewayConfig()
        self._names = names or NoNames()
        self._denylist = denylist or Denylist()

    async def respond(self, request: GatewayRequest) -> GatewayResponse:
        """Answer one request; whatever is wrong with it or with the content becomes a status and one clear line.

        Cancelling, as when the client goes away, ends all reading that the request caused.
        """
        try:
            response = await self._respond(request)
        except ZwermError as error:
            return self.failure(request, error)
        return _with_headers(response)

    def failure(self, request: GatewayRequest, error: ZwermError) -> GatewayResponse:
        """Say what went wrong: also for a server that meets it in the beginning of a body, before anything is sent."""
        if isinstance(error, Refused):
            response = _error(request, error.status, str(error), error.headers, details=error.details)
        elif isinstance(error, FetchFailed):
            response = _error(request, HTTPStatus.GATEWAY_TIMEOUT, str(error), phase=error.phase, details=error.details)
        elif isinstance(error, (BlockNotFound, NameNotFound, NotFoundError)):
            response = _error(request, HTTPStatus.NOT_FOUND, str(error))
        elif isinstance(error, (RecordRefused, TransportError)):  # others gave no answer that can be believed
            response = _error(request, HTTPStatus.BAD_GATEWAY, str(error))
        elif isinstance(error, (WireError, LocalProtocolError, ResourceLimitError)):
            response = _error(request, HTTPStatus.BAD_REQUEST, str(error))
        else:
            response = _error(request, HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        return _with_headers(response)

    async def _respond(self, request: GatewayRequest) -> GatewayResponse:
        if request.method == "OPTIONS":
            return GatewayResponse(HTTPStatus.NO_CONTENT, {"Allow": "GET, HEAD, OPTIONS"})
        if request.method not in {"GET", "HEAD"}:
            allow = {"Allow": "GET, HEAD, OPTIONS"}
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"method {request.method[:16]}, expected GET or HEAD", allow)
        if _UNPRINTABLE.search(f"{request.path}{request.query}{request.host}"):
            raise Refused(HTTPStatus.BAD_REQUEST, "request with bytes that are no text, expected percent-encoding")
        if len(request.path) > _MAX_PATH:
            raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG, f"path of {len(request.path)} characters")
        try:
            query = parse_qs(
                request.query, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_PARAMETERS
            )
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, f"query of more than {_MAX_PARAMETERS} parameters") from None
        own = host.from_host(request.host, self._config.subdomains)
        if own is None and self._config.dnslink and not request.path.startswith(("/ipfs/", "/ipns/")):
            own = self._dnslink_root(request)
        if own is not None:
            root, _ = own
            path = f"{root}{request.path}"
        else:
            path = self._shared_origin_path(request, query)
        wish = negotiate(query.get("format", [None])[-1], request.headers.get("accept", ""))
        self._check_form(request, wish)
        target = await self._resolve(request, query, path, isolated=own is not None, wish=wish)
        if isinstance(target, GatewayResponse):
            return target
        if wish.format in verifiable.FORMATS:
            return await verifiable.respond(self._source, target, wish)
        return await self._show(target, wish)

    def _dnslink_root(self, request: GatewayRequest) -> tuple[host.ContentRoot, str] | None:
        name, _ = host.split_port(request.host)
        if "." not in name or name.replace(".", "").isdigit():
            return None
        return host.ContentRoot("ipns", name), request.host

    def _shared_origin_path(self, request: GatewayRequest, query: dict[str, list[str]]) -> str:
        """The content path of a request on the gateway's own host, unless it has to go elsewhere first."""
        if request.path.rstrip("/") in {"/ipfs", "/ipns"} and "uri" in query:
            location = host.content_url(query["uri"][-1])
            if location is None:
                raise WireError(f"uri {query['uri'][-1][:80]!r} is neither ipfs:// nor ipns://")
            raise Refused(HTTPStatus.MOVED_PERMANENTLY, location, {"Location": location})
        if not request.path.startswith(("/ipfs/", "/ipns/")):
            raise Refused(HTTPStatus.NOT_FOUND, f"path {request.path[:80]!r}, expected /ipfs/CID or /ipns/NAME")
        if request.headers.get("service-worker") == "script":
            raise WireError("service workers are registered on the content's own subdomain, not on a path")
        name, port = host.split_port(request.host)
        if name in self._config.subdomains:
            self._redirect_to_subdomain(request, name + port)
        return request.path

    def _redirect_to_subdomain(self, request: GatewayRequest, gateway: str) -> None:
        _, namespace, identifier, *rest = request.path.split("/", 3)
        root = host.ContentRoot(namespace, unquote(identifier))
        scheme = request.headers.get("x-forwarded-proto", request.scheme)
        gateway = request.headers.get("x-forwarded-host", gateway)
        after = "/" + "".join(rest) + (f"?{request.query}" if request.query else "")
        location = host.subdomain_url(scheme, gateway, root, after)
        raise Refused(HTTPStatus.MOVED_PERMANENTLY, location, {"Location": location})

    @staticmethod
    def _redirect_to_canonical(request: GatewayRequest, name: str, path: str, *, isolated: bool) -> None:
        """Send a key in another form to `/ipns/k51...`, the form that fits DNS and browsers."""
        key = host.canonical_key(name)
        if key is None or (key == name and not isolated):
            return
        query = f"?{request.query}" if request.query else ""
        if not isolated:
            rest = path.split("/", 3)[3:]
            location = "/".join(["", "ipns", key, *rest]) + query
            raise Refused(HTTPStatus.FOUND, location, {"Location": location})
        label, _, rest_of_host = request.host.partition(".")
        if host.names_other_codec(label):
            scheme = request.headers.get("x-forwarded-proto", request.scheme)
            location = f"{scheme}://{key}.{rest_of_host}{request.path}{query}"
            raise Refused(HTTPStatus.MOVED_PERMANENTLY, location, {"Location": location})

    def _check_form(self, request: GatewayRequest, wish: Wish) -> None:
        if not self._config.deserialized and wish.format not in {Format.RAW, Format.CAR, Format.IPNS_RECORD}:
            status = (
                HTTPStatus.NOT_ACCEPTABLE if wish.format or request.headers.get("accept") else HTTPStatus.BAD_REQUEST
            )
            raise Refused(status, "this gateway gives verifiable forms only: raw, car, ipns-record")

    async def _resolve(
        self, request: GatewayRequest, query: dict[str, list[str]], path: str, *, isolated: bool, wish: Wish
    ) -> Target | GatewayResponse:
        """Follow the path to what it names; a response when `_redirects` of the site answers instead."""
        asked = ContentPath.from_text(unquote(path, errors="surrogateescape"))  # names are bytes, not only UTF-8
        named = None
        content = asked
        if asked.namespace == "ipns":
            self._redirect_to_canonical(request, asked.root, path, isolated=isolated)
            named = await self._names.resolve(asked.root)
            content = named.path.child(*asked.segments)
        assert content.cid is not None  # noqa: S101  # a resolved path lies below /ipfs/
        self._refuse_denied(content.cid)
        if wish.format is Format.IPNS_RECORD:
            if asked.namespace != "ipns" or asked.segments or named is None or named.record is None:
                raise WireError("an IPNS record exists for /ipns/KEY only, without a path")
            return verifiable.record_response(asked, named, request, query.get("filename", [None])[-1])
        await self._check_cached(request, content)
        target = Target(
            request, query, asked, content, content.cid, (content.cid,), named, isolated, path.endswith("/")
        )
        try:
            resolution = await resolve(self._source, content)
        except PathNotFound:
            if isolated and wish.format is None and self._config.deserialized:
                answer = await self._redirects_file(target, content)
                if answer is not None:
                    return answer
            raise
        for cid in resolution.roots:
            self._refuse_denied(cid)
        if resolution.remainder and wish.format is not Format.CAR:
            where = "/".join(resolution.remainder)
            raise Refused(HTTPStatus.NOT_IMPLEMENTED, f"{asked} ends inside block {resolution.cid}, at {where}")
        return dataclasses.replace(target, cid=resolution.cid, roots=tuple(resolution.roots))

    def _refuse_denied(self, cid: CID) -> None:
        status = self._denylist.check(cid)
        if status is not None:
            raise Refused(status, f"{cid} is on the denylist of this gateway")

    async def _check_cached(self, request: GatewayRequest, content: ContentPath) -> None:
        if "only-if-cached" in request.headers.get("cache-control", "").lower():
            assert content.cid is not None  # noqa: S101
            if not await self._source.has(content.cid):
                raise Refused(HTTPStatus.PRECONDITION_FAILED, f"block {content.cid} is not here, only-if-cached")

    async def _show(self, target: Target, wish: Wish) -> GatewayResponse:
        response = await deserialized.respond(self._source, target, wish)
        if target.isolated or not _runs(response) or response.status is not HTTPStatus.OK:
            return response
        if (
            self._config.html_redirect
            and self._config.subdomains
            and target.request.headers.get("sec-fetch-dest")
            in {
                "document",
                "iframe",
                "frame",
            }
        ):
            name, port = host.split_port(target.request.host)
            gateway = min(self._config.subdomains) + port
            if name in {"127.0.0.1", "[::1]"}:
                self._redirect_to_subdomain(target.request, gateway)
        # On a shared origin nothing runs: one site would read another's.
        response.headers["Content-Security-Policy"] = "sandbox"
        return response

    async def _redirects_file(self, target: Target, content: ContentPath) -> GatewayResponse | None:
        """What the site's `_redirects` says of a path that it does not have."""
        root = ContentPath("ipfs", content.root, (), content.cid)
        base = len(content.segments) - len(target.asked.segments)  # a DNSLink may point below a CID
        root = root.child(*content.segments[:base])
        try:
            found = await resolve(self._source, root.child("_redirects"))
        except PathNotFound:
            return None
        try:
            rules = redirects.parse(await deserialized.read_small(self._source, found.cid, redirects.MAX_SIZE))
        except (WireError, ResourceLimitError) as error:
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)) from None
        path = "/" + "/".join(target.asked.segments) + ("/" if target.slash and target.asked.segments else "")
        answer = redirects.evaluate(rules, path, target.request.query)
        if answer is None:
            return None
        if answer.status in {301, 302, 303, 307, 308}:
            location = quote(answer.target, safe="/?=&%~!$()*+,;:@-._#", errors="surrogateescape")
            return GatewayResponse(HTTPStatus(answer.status), {"Location": location, "Content-Type": "text/plain"})
        if not answer.target.startswith("/"):
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, f"_redirects: a {answer.status} needs a path, not a URL")
        rewritten = root.child(
            *(part for part in unquote(answer.target.split("?")[0], errors="surrogateescape").split("/") if part)
        )
        resolution = await resolve(self._source, rewritten)
        shown = dataclasses.replace(
            target,
            asked=rewritten,
            content=rewritten,
            cid=resolution.cid,
            roots=tuple(resolution.roots),
            slash=True,
            status=answer.status,
        )
        return await deserialized.respond(self._source, shown, Wish(None, {}, html=True, from_accept=False))


def _with_headers(response: GatewayResponse) -> GatewayResponse:
    for name, value in _CORS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def _runs(response: GatewayResponse) -> bool:
    media_type = response.headers.get("Content-Type", "").split(";")[0]
    return media_type in {"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml"}


def _error(
    request: GatewayRequest,
    status: HTTPStatus,
    message: str,
    headers: dict[str, str] | None = None,
    *,
    phase: str = "",
    details: Sequence[str] = (),
) -> GatewayResponse:
    message = legible(" ".join(message.split()))
    if "text/html" in request.headers.get("accept", "") and status >= HTTPStatus.BAD_REQUEST:
        body, media_type = (
            pages.error_page(status, message, phase=phase, details=details).encode(),
            "text/html; charset=utf-8",
        )
    else:
        body, media_type = f"{message}\n".encode(), "text/plain; charset=utf-8"
    fields = {"Content-Type": media_type, "X-Content-Type-Options": "nosniff"} | (headers or {})
    if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}:
        fields["Retry-After"] = "10"
    if status < HTTPStatus.BAD_REQUEST:
        fields["Cache-Control"] = caching.MADE_PAGE if status is HTTPStatus.MOVED_PERMANENTLY else "no-cache"
    return GatewayResponse(status, fields, body, len(body))
