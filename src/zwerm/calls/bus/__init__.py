"""How the processes of one service hear of each other (docs/calls-several.md).

`packet` is what they write, `neighbours` the machine that makes an ordered and complete stream of a bus that loses,
`elsewhere` who is online at the others; `aio` has the shells: Redis and NATS.
"""
