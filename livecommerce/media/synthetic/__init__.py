"""Hosts without a camera, for the demo, load tests and tests: drawn pictures and a tone, published by WHIP.

The only folder of the room that encodes; a relay never imports it.
"""
