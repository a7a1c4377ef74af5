"""Sockets: the Socket.IO gateway, the tick loop, broadcast, presence, back-pressure.

In: what pages send (limited, then handed to `intake` or `shows`), and the event logs of shows. Out: one prebuilt frame
per show, tick and audience; private verdicts; numbered close codes.
Private names of python-socketio, python-engineio and aiohttp live in `private_names.py` alone.
It may not change a quantity or a show's state but through stock and shows, and it keeps nothing that is not in the log.
"""
