"""Any request to the gateway is answered: a status of HTTP, headers that can be sent, a body of the length it says."""

from collections.abc import AsyncIterator, Iterable

from tests.fuzz.inputs import run_without_waiting, text
from tests.ipfs.gateway.site import Site
from zwerm.core.errors import ZwermError
from zwerm.ipfs.gateway.gateway import Gateway, GatewayConfig
from zwerm.ipfs.gateway.message import FileRange, GatewayRequest
from zwerm.ipfs.ipld.dag_pb import PBLink, PBNode
from zwerm.ipfs.unixfs.data import DataType, UnixFSData
from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

_SITE = Site()


class _Source:
    """The blocks of the site, without waiting for them."""

    async def get(self, cid: CID) -> bytes:
        return _SITE.store.get(cid)

    async def get_many(self, cids: Iterable[CID]) -> AsyncIterator[bytes]:
        for cid in cids:
            yield _SITE.store.get(cid)

    async def has(self, cid: CID) -> bool:
        return _SITE.store.has(cid)


_GATEWAYS = [Gateway(_Source()), Gateway(_Source(), GatewayConfig(deserialized=False, html_redirect=False))]
_FILES = {"index.html": b"<p>hello", "a b": b"text " * 1_000, "_redirects": b"/old/* /new/:splat\n/* /a 404"}
_NODE = _SITE.node({"a": [1, CID.of(b"")]})
_ODD = _SITE.node(PBNode((PBLink(_SITE.file(b"x"), "\udcff\n<\"'&", 1),), b"\x08\x01"), multicodec.DAG_PB)
_LINK = _SITE.node(PBNode((), UnixFSData(DataType.SYMLINK, b"\xff\n/target").serialize()), multicodec.DAG_PB)
_ROOT = run_without_waiting(_SITE.directory({**_FILES, "node": _NODE, "odd": _ODD, "link": _LINK}))
_PATHS = [
    f"/ipfs/{_ROOT}/a%20b",
    f"/ipfs/{_ROOT}/",
    f"/ipfs/{_ROOT}/old/x",
    f"/ipfs/{_ROOT}/node/a/0",
    f"/ipfs/{_ROOT}/odd/",
    f"/ipfs/{_ROOT}/link",
    "/ipfs/",
    "/ipns/example.com/",
]
_HEADERS = [
    b"range: bytes=0-4,10-",
    b"accept: application/vnd.ipld.car;dups=y",
    b"if-none-match: *",
    b"service-worker: script",
    b"accept: text/html",
    b"accept: text/html",
    b"accept: */*",
    b"sec-fetch-mode: navigate",
]
_QUERIES = [
    b"format=car&dag-scope=entity&entity-bytes=0:4",
    b"format=tar",
    b"filename=x&download=true",
    b"format=dag-json",
]
SEEDS = [
    b"\n".join([b"GET", path.encode(), _QUERIES[number % 4], b"localhost:8080", header, _HEADERS[number - 1]])
    for number, (path, header) in enumerate(zip(_PATHS, _HEADERS, strict=True))
] + [
    *(
        f"GET\n/ipfs/{root}\nformat={form}".encode()
        for root in (_ROOT, _ODD, _LINK)
        for form in ("tar", "dag-json", "car")
    ),
    f"HEAD\n/index.html\n\n{_ROOT}.ipfs.localhost".encode(),
    f"GET\n/%ff%0a%3C%22'&\n\n{_ODD.to_v1()}.ipfs.localhost\naccept: text/html".encode(),
    f"GET\n/ipfs/\nuri=ipfs://{_ROOT}/a\nlocalhost".encode(),
    b"GET\n/ipfs/\n" + b"a=1&" * 80 + b"\nlocalhost",
]


def fuzz(data: bytes) -> None:
    method, path, query, host, *lines = [text(line) for line in data.split(b"\n")] + [""] * max(
        0, 3 - data.count(b"\n")
    )
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[:8])}
    for gateway in _GATEWAYS:
        run_without_waiting(_ask(gateway, GatewayRequest(method, path or "/", query, host, headers)))


async def _ask(gateway: Gateway, request: GatewayRequest) -> None:
    response = await gateway.respond(request)
    assert 100 <= response.status < 600
    for name, value in response.headers.items():
        assert name.isascii()
        assert not set("\r\n\0") & set(value), (name, value)
        value.encode("utf-8", "surrogateescape")  # as the server writes them
    body = response.body.stream() if isinstance(response.body, FileRange) else response.body
    try:
        size = len(body) if isinstance(body, bytes) else sum([len(part) async for part in body])
    except ZwermError:
        return  # the content breaks off, which the server makes visible
    assert response.length in (None, size) or request.method == "HEAD"
