"""A Host header is refused with WireError, names no content, or names a root whose label names it again."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.ipfs.gateway.host import MAX_LABEL, ContentRoot, content_url, from_host, to_label

_CID = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
_KEY = "k51qzi5uqu5dhb6l8spkdx7yxafegfkee5by8h7lmjh2ehc2sgg34z7c15vzqs"
SEEDS = [
    f"{_CID}.ipfs.localhost:8080".encode(),
    f"{_KEY}.ipns.localhost".encode(),
    b"en-wiki--x-org.ipns.localhost",
    b"localhost:8080",
    b"[::1]:8080",
    f"ipfs://{_CID}/a?b#c".encode(),
    b"en.wiki-x.org",
]


_GATEWAYS = frozenset({"localhost"})


def fuzz(data: bytes) -> None:
    given = text(data)
    try:
        found = from_host(given, _GATEWAYS)
    except WireError:
        found = None
    if found is not None:
        assert found[1].startswith("localhost")
        _round_trip(found[0])
    _round_trip(ContentRoot("ipns", given))
    try:
        url = content_url(given)
    except UnicodeEncodeError:  # a lone surrogate cannot stand in a URL, and no URL parser gives one
        return
    assert url is None or url.isascii()


def _round_trip(root: ContentRoot) -> None:
    try:
        label = to_label(root)
    except WireError:
        return
    assert len(label) <= MAX_LABEL
    found = from_host(f"{label}.{root.namespace}.localhost", _GATEWAYS)
    assert found is not None
    assert to_label(found[0]) == label
