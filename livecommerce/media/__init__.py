"""The media room: one host's WebRTC stream goes in, every viewer's goes out, and nothing is decoded on the way.

In: WHIP and WHEP offers over a control socket, and UDP/TCP packets of hosts and viewers on one port a process.
Out: the canonical stream to each viewer, feedback to the host, stream events, statistics, recordings.
The relay never authorizes a person (`routes.py` in the web role has done so), never touches stock, orders or SQL, and
never decodes video.
It trusts no datagram before ICE, DTLS and SRTP have vouched for it, and answers none that is larger than what it got.
"""
