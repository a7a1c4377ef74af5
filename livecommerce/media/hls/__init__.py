"""Low-latency HLS of one show (RFC 8216bis): a bounded window of segments, its playlists, and AAC for who needs it.

In: whole pictures and sounds. Out: bodies and playlists by name; `hls_app` above it speaks HTTP.
"""
