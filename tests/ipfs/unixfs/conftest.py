"""Hypothesis without deadlines: the tests share their machine, so how long an example takes says nothing."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unixfs", deadline=None)
settings.load_profile("unixfs")
