"""Hypothesis strategies for the IPLD data model."""

from __future__ import annotations

from hypothesis import strategies as st

from zwerm.multiformats import multicodec
from zwerm.multiformats.cid import CID

CODES = [multicodec.RAW, multicodec.DAG_PB, multicodec.DAG_CBOR, multicodec.DAG_JSON, multicodec.LIBP2P_KEY, 0x300001]
HASHES = [multicodec.SHA2_256, multicodec.SHA2_512, multicodec.SHA1, multicodec.BLAKE2B_256, multicodec.IDENTITY]

cids = st.builds(CID.of, st.binary(max_size=32), st.sampled_from(CODES), st.sampled_from(HASHES)) | st.binary(
    max_size=8
).map(lambda data: CID.of(data, multicodec.DAG_PB, version=0))

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
integers = st.integers(-(2**64), 2**64 - 1) | st.sampled_from(
    [sign * 2**power + near for power in (5, 8, 16, 32, 53, 63) for near in (-1, 0, 1) for sign in (-1, 1)]
)
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | integers | floats | texts | st.binary(max_size=60) | cids
keys = texts | st.sampled_from(["/", "bytes", "a", "b", "aa"])


def links_in(value: object) -> list[CID]:
    """The links of a value, in the order in which they stand."""
    if isinstance(value, CID):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [link for child in children for link in links_in(child)]


def documents(
    leaves: st.SearchStrategy[object] = scalars, names: st.SearchStrategy[str] = keys
) -> st.SearchStrategy[object]:
    """Values of the data model, a few levels deep."""
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(names, inner, max_size=5), max_leaves=12
    )
