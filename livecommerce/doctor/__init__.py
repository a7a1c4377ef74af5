"""What is missing on this machine for a show, and what to do about it.

In: the settings and the machine itself (ports, disk, descriptors, stores, addresses).
Out: findings with an advice each.
It only looks: it never starts, changes or mends anything.
"""
