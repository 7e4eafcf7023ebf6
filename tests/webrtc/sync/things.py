"""A small world for the tests of this folder: things with a place and a heading."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from zwerm.webrtc.sync.schema import Field, Schema

SCHEMA = Schema(
    (
        Field("x", 12, minimum=-1.0, step=0.001),
        Field("y", 12, minimum=-1.0, step=0.001),
        Field("heading", 8, step=2 * math.pi / 256, wraps=True),
    ),
    id_bits=6,
)

rows = st.tuples(st.integers(0, 4_095), st.integers(0, 4_095), st.integers(0, 255))
states = st.dictionaries(st.integers(0, 63), rows, max_size=12)
