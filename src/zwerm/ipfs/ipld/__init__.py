"""IPLD: blocks as documents with links (ipld.io/specs): codecs, paths, resolution and bounded traversal.

Import from the modules: `codec` for bytes to values and back, `path` and `resolve` for content paths, `traverse` to
walk a DAG.
"""
