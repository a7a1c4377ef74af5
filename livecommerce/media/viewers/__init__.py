"""Who gets what: each viewer's line, the layer it asks for, and how it comes in without a black picture.

In: viewers' offers, reports and wishes; the layers' tracks. Out: lanes in the fan-outs, reports, keyframe requests.
`estimate` and `ladder` are pure; `audience` alone moves viewers. It never opens a host's packet.
"""
