"""The port and who is behind it: sockets (UDP, TCP), peers by ICE (RFC 8445), keys by DTLS (RFC 5764), SRTP contexts.

In: datagrams of anybody. Out: opened packets to the peer that vouched for them, sealed datagrams to its verified path.
It never knows what the packets mean: lanes, tracks and shows are above it.
"""
