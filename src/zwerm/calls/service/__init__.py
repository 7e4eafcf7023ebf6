"""Answers requests with the switchboard and the store.

`aio` holds both, the clock and the connections; `client` is one connection; `signing_in`, `people`, `calling` and
`meeting` have one function for each request; `fetching` sends what calls somebody who is away.
"""
