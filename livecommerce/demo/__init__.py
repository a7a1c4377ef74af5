"""The demo: a seeded shop, a synthetic host and buyers, all through the doors that everyone uses.

In: the addresses of a running server and a staff session. Out: a show at /live/demo that is worth watching.
May not: reach into another room's state; what the demo can do, a person with a browser and an encoder can do.
"""
