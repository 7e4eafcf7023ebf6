"""CAR: archives of blocks (ipld.io/specs/transport/car): version 1 written, versions 1 and 2 read.

`reader` takes bytes and gives verified blocks, `writer` makes the bytes, `scope` chooses the blocks of a path as the
trustless gateway does, `importer` fills a blockstore.
"""
