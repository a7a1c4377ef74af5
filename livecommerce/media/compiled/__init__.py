"""The compiled core of the fan-out: C sources, what they offer (`_sending.pyi`), and the choice whether it is used.

`hatch_build.py` compiles it at installation. It never is the only way: fanout.py does the same work in Python.
"""
