"""How the settings of all rooms are read, checked and shown.

In: a TOML file, LIVECOMMERCE_* variables, flags. Out: one frozen tree, and the tables of settings and errors.
It knows the rooms' settings alone: it may not import what the rooms do.
"""
