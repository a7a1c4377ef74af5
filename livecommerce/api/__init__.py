"""The HTTP side of the web role: pages, static files, and the guard before every room's routes.

In: requests. Out: pages, JSON, or `{"error": {number, code, reason}}` with the matching status.
It adds up the routes that the root hands it, room by room, and guards them all; the pages and files of `web/` are its
own. It may not: hold a rule of any room, keep state between requests, or leak a fault's text.
`build_api(app, rooms)` is the one entry; `description` adds up what the rooms' `openapi.yaml` say of their routes, kept
true by a test.
"""
