"""HTTP: what every room's routes stand on: bodies, answers, who asks, the site's own addresses.

In: aiohttp requests. Out: typed bodies, JSON answers, an `Identity`, or a numbered refusal.
Who somebody is comes from the `Site` that the root puts into the application; this room only asks it.
It may not: know a room, touch a store, or decide what a role may do beyond the roles that a route names.
"""
