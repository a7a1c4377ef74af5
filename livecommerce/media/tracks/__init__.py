"""One canonical track, many lanes: a host packet is mapped once, and each viewer's lane says how it gets it.

In: parsed RTP packets of whatever host. Out: sealed datagrams to every lane, by as few system calls as possible.
A packet's bytes never change once it is final: that is what the nonce rule (docs/media.md) stands on.
"""
