"""A `_redirects` file is refused with WireError, or its rules answer any path with a status of the specification."""

from tests.fuzz.inputs import text
from zwerm.core.errors import WireError
from zwerm.ipfs.gateway import redirects

SEEDS = [
    b"/a /b\n",
    b"/posts/:year/:slug /articles/:slug?year=:year 302\n# comment\n/* /404.html 404\n",
    b"/old/* https://example.com/:splat 301",
    b"/x /y 451\r\n\r\n",
    b"/a/:b/:b /c",
]
_PATHS = ("/", "/a", "/posts/2026/x", "/old/a/b", "/" + "a/" * 50, "/\u00e9")


def fuzz(data: bytes) -> None:
    try:
        rules = redirects.parse(data)
    except WireError:
        return
    assert len(rules) <= redirects.MAX_RULES
    for path in (*_PATHS, "/" + text(data[:40]).replace("\n", "")):
        redirect = redirects.evaluate(rules, path, "q=1")
        if redirect is not None:
            assert redirect.status in {200, 301, 302, 303, 307, 308, 404, 410, 451}
