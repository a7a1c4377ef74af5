"""The roles a process can play: web, relay, worker. Each module composes the rooms of one role and nothing more.

In: a `Frame` (settings, health, the wish to stop). Out: an async context that works while it is entered.
Each is imported only in its own process, so that a worker never loads WebRTC and a relay never loads the API.
It may not decide anything a room decides; it only puts them together.
"""
