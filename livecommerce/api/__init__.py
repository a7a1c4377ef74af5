"""The HTTP side of the web role: pages, static files, the JSON API, and the WHIP/WHEP doors.

In: requests. Out: pages, JSON, or `{"error": {number, code, reason}}` with the matching status.
Routes check who asks, decode what came (typed, bounded) and call a room; they hold no rule of their own.
It may not: change a quantity but through stock, keep state between requests, or leak a fault's text.
`build_api(app, context)` is the one entry; `description` adds up what the rooms'
`openapi.yaml` say of their routes, kept true by a test.
"""
