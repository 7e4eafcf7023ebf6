"""The `_redirects` file of a site (Web Redirects File specification)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

from zwerm.core.errors import WireError

MAX_SIZE: Final = 64 * 1024  # bytes, the specification's
MAX_RULES: Final = 2_000  # lines that are rules; each costs a comparison for every path that is not there

_STATUSES: Final = frozenset({"200", "301", "302", "303", "307", "308", "404", "410", "451"})
_PLACEHOLDER: Final = re.compile(r":([A-Za-z][A-Za-z0-9_]*)")
# In `from` a placeholder is a whole segment, so that no pattern can be made to backtrack.
_SEGMENT: Final = re.compile(r"(?<=/):([A-Za-z][A-Za-z0-9_]*)(?=/|\Z)")


class Rule(NamedTuple):
    """One line: what is asked, where it is found, and with which status."""

    source: str
    pattern: re.Pattern[str]
    target: str
    status: int


class Redirect(NamedTuple):
    """What a matching rule says."""

    target: str  # a path or an absolute URL, query included
    status: int


def parse(data: bytes) -> list[Rule]:
    """Read the untrusted file.

    Raises:
        WireError: too large, not text, or a line that is not a rule; the message names the line.
    """
    if len(data) > MAX_SIZE:
        raise WireError(f"_redirects is {len(data)} bytes, the limit is {MAX_SIZE}")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise WireError("_redirects is not UTF-8 text") from None
    rules = []
    for number, line in enumerate(re.split(r"\r?\n", text), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            rules.append(_parse_rule(number, words))
            if len(rules) > MAX_RULES:
                raise WireError(f"_redirects has more than {MAX_RULES} rules")
    return rules


def _parse_rule(number: int, words: list[str]) -> Rule:
    if len(words) not in {2, 3}:
        raise WireError(f"_redirects line {number}: {len(words)} words, expected: from to [status]")
    source, target = words[:2]
    if not source.startswith("/"):
        raise WireError(f"_redirects line {number}: {source[:80]!r} does not begin with /")
    if not target.startswith(("/", "http://", "https://", "ipfs://", "ipns://")):
        raise WireError(f"_redirects line {number}: {target[:80]!r} is neither a path nor a URL")
    status = 301
    if len(words) == 3:
        if words[2] not in _STATUSES:
            raise WireError(f"_redirects line {number}: status {words[2][:16]!r} is not supported")
        status = int(words[2])
    return Rule(source, _compile(number, source), target, status)


def _compile(number: int, source: str) -> re.Pattern[str]:
    splat = source.endswith("*")
    if "*" in source[:-1]:
        raise WireError(f"_redirects line {number}: only one * is allowed, at the end")
    names: set[str] = set()
    pattern, position = "", 0
    body = source[:-1] if splat else source
    for match in _SEGMENT.finditer(body):
        if match[1] in names or match[1] == "splat":
            raise WireError(f"_redirects line {number}: :{match[1]} stands there twice")
        names.add(match[1])
        pattern += re.escape(body[position : match.start()]) + f"(?P<{match[1]}>[^/]+)"
        position = match.end()
    pattern += re.escape(body[position:])
    if splat:
        # `/a/*` also matches `/a`, as its splat may be empty.
        pattern = (pattern[:-1] + "(?:/(?P<splat>.*))?") if body.endswith("/") else pattern + "(?P<splat>.*)"
    elif len(body) > 1 and body.endswith("/"):
        pattern += "?"
    return re.compile(pattern + r"/?\Z", re.DOTALL)


def evaluate(rules: list[Rule], path: str, query: str) -> Redirect | None:
    """Return what the first matching rule says for a path that is not in the content; None when none matches."""
    for rule in rules:
        match = rule.pattern.match(path)
        if match is None:
            continue
        values = {name: value or "" for name, value in match.groupdict().items()}
        target = _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), rule.target)  # noqa: B023
        return Redirect(_merge_query(target, query), rule.status)
    return None


def _merge_query(target: str, query: str) -> str:
    """Add the visitor's query; what the visitor says wins over what the rule says."""
    if not query:
        return target
    # Taken apart by hand: a target may be text that no URL parser takes, and it is the site's own affair.
    location, hash_sign, fragment = target.partition("#")
    location, _, static = location.partition("?")
    dynamic = parse_qsl(query, keep_blank_values=True)
    chosen = {name for name, _ in dynamic}
    merged = [pair for pair in parse_qsl(static, keep_blank_values=True) if pair[0] not in chosen] + dynamic
    question = "?" if merged else ""
    return f"{location}{question}{urlencode(merged, errors='surrogateescape')}{hash_sign}{fragment}"
