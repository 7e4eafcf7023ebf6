"""Web Redirects File specification."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zwerm.core.errors import WireError
from zwerm.ipfs.gateway.redirects import MAX_RULES, MAX_SIZE, Redirect, evaluate, parse

EXAMPLES = b"""\
# the sample of the specification
/redirect-one /one.html
/301-redirect-one /one.html 301
/302-redirect-two /two.html 302
/200-index /index.html 200
/posts/:year/:month/:day/:title /articles/:year/:month/:day/:title 301
/splat/* /redirected-splat/:splat 301
/not-found/* /404.html 404
/gone/* /410.html 410
/unavail/* /451.html 451
/* /index.html 200
"""


@pytest.mark.parametrize(
    ("path", "target", "status"),
    [
        ("/redirect-one", "/one.html", 301),
        ("/301-redirect-one", "/one.html", 301),
        ("/302-redirect-two", "/two.html", 302),
        ("/200-index", "/index.html", 200),
        ("/posts/2022/01/01/hello-world", "/articles/2022/01/01/hello-world", 301),
        ("/splat/one.html", "/redirected-splat/one.html", 301),
        ("/splat/a/b", "/redirected-splat/a/b", 301),
        ("/not-found/has-no-redirects-entry", "/404.html", 404),
        ("/gone/has-no-redirects-entry", "/410.html", 410),
        ("/unavail/has-no-redirects-entry", "/451.html", 451),
        ("/catch-all", "/index.html", 200),
    ],
)
def test_samples_of_the_specification(path: str, target: str, status: int) -> None:
    assert evaluate(parse(EXAMPLES), path, "") == Redirect(target, status)


def test_the_first_matching_rule_counts() -> None:
    assert evaluate(parse(b"/a /one\n/a /two\n"), "/a", "") == Redirect("/one", 301)


def test_nothing_matches() -> None:
    assert evaluate(parse(b"/a /b"), "/c", "") is None


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_lines_end_in_either_way_and_blanks_are_ignored(ending: bytes) -> None:
    rules = parse(ending.join([b"", b" \t", b"  /a\t/b  302 ", b"# no rule", b"/c /d"]))
    assert [(rule.source, rule.target, rule.status) for rule in rules] == [("/a", "/b", 302), ("/c", "/d", 301)]


def test_a_placeholder_may_be_used_twice_in_to() -> None:
    assert evaluate(parse(b"/a/:x /b/:x/:x"), "/a/1", "") == Redirect("/b/1/1", 301)


@pytest.mark.parametrize(
    "line",
    [
        "/a",
        "/a /b 301 x",
        "a /b",
        "/a b",
        "/a /b 418",
        "/a /b abc",
        "/:x/:x /b",
        "/a*b /c",
        "/*/* /c",
        "/a javascript:alert(1)",
    ],
)
def test_a_line_that_is_no_rule_is_named(line: str) -> None:
    with pytest.raises(WireError, match="line 2"):
        parse(f"# first\n{line}\n".encode())


def test_the_file_may_not_be_larger_than_64_kib() -> None:
    parse(b"#" * MAX_SIZE)
    with pytest.raises(WireError, match="65537"):
        parse(b"#" * (MAX_SIZE + 1))


def test_rules_are_limited() -> None:
    parse(b"/a /b\n" * MAX_RULES)
    with pytest.raises(WireError, match=str(MAX_RULES)):
        parse(b"/a /b\n" * (MAX_RULES + 1))


@pytest.mark.parametrize(
    ("rule", "path", "query", "target"),
    [
        (b"/s/* /t?a=1&b=2", "/s/x", "c=3", "/t?a=1&b=2&c=3"),
        (b"/s/* /t?a=1&b=2", "/s/x", "b=9", "/t?a=1&b=9"),
        (b"/s/:code/:name /t?code=:code&name=:name", "/s/x/y", "", "/t?code=x&name=y"),
        (b"/s/* https://example.net/t/:splat", "/s/x", "q=1", "https://example.net/t/x?q=1"),
    ],
)
def test_the_visitors_query_is_kept_and_wins(rule: bytes, path: str, query: str, target: str) -> None:
    assert evaluate(parse(rule), path, query) == Redirect(target, 301)


@pytest.mark.parametrize(
    ("rule", "query", "target"),
    [
        (b"/s //]", "q=1", "//]?q=1"),  # no URL parser takes this
        (b"/s /t#part", "q=1", "/t?q=1#part"),
        (b"/s /t?a=1#part", "&", "/t?a=1#part"),
        (b"/s /t", "q=\udcff", "/t?q=%FF"),
    ],
)
def test_odd_targets_and_queries_are_joined_all_the_same(rule: bytes, query: str, target: str) -> None:
    assert evaluate(parse(rule), "/s", query) == Redirect(target, 301)


@pytest.mark.parametrize("status", ["\u00b2", "\u0663\u0660\u0661", "0301", "+301", "3_01"])
def test_a_status_is_three_ascii_digits(status: str) -> None:
    with pytest.raises(WireError, match="status"):
        parse(f"/a /b {status}".encode())


def test_a_pattern_cannot_be_made_to_backtrack() -> None:
    rules = parse(b"/" + b":a:b" * 500 + b"x /b\n/" + b"/".join(b":p%d" % number for number in range(500)) + b"/end /b")
    assert evaluate(rules, "/" + "a" * 5000, "") is None
    assert evaluate(rules, "/" + "a/" * 5000, "") is None


@given(st.binary(max_size=300), st.text(max_size=50))
def test_any_file_is_read_or_refused(data: bytes, path: str) -> None:
    try:
        rules = parse(data)
    except WireError:
        return
    evaluate(rules, "/" + path, "")
