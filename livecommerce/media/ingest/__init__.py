"""What feeds a show: a host's session (WHIP), or another relay's stream fetched once (WHEP).

In: the sender's packets and reports. Out: opened packets to a `Sink` (the stream) and feedback to the sender.
It never knows viewers: who watches and which layer they get is decided above it.
"""
