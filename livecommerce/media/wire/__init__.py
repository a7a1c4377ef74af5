"""What stands in datagrams and bodies, as values: RTP, RTCP, STUN, SDP, H.264, and what a page may say.

Pure: no socket, no clock, no state between two calls. What does not fit is None, an empty list or a numbered error.
"""
