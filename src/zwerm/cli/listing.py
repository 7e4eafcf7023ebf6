"""Modes and times in listings, as `ls -l` writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_RECENT = timedelta(days=182)


def mode_text(mode: int, kind: str) -> str:
    """Write permission bits as `-rw-r--r--`; `-` when none were kept."""
    if not mode:
        return "-"
    text = "".join(letter if mode >> (8 - place) & 1 else "-" for place, letter in enumerate("rwxrwxrwx"))
    letters = list(text)
    for bit, place, letter in ((0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")):
        if mode & bit:
            letters[place] = letter if letters[place] == "x" else letter.upper()
    return kind + "".join(letters)


def moment_text(moment: str | None) -> str:
    """Write an RFC 3339 time: the hour when it is recent, the year otherwise; `-` when none was kept."""
    if not moment or moment.startswith("0001-"):
        return "-"
    then = datetime.fromisoformat(moment.partition(".")[0].rstrip("Z")).replace(tzinfo=UTC)
    now = datetime.now(UTC)
    return then.strftime("%b %d %H:%M" if now - _RECENT < then < now + timedelta(days=1) else "%b %d  %Y")
