"""A bounded pool in shares: what one network may have of it at once, so that no stranger takes all. Pure."""

from __future__ import annotations


class Shares:
    """Counts places in use by network (see `addresses.network_of`); memory is that of the places in use."""

    __slots__ = ("_most", "_taken")

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: dict[str, int] = {}

    def is_full(self, network: str) -> bool:
        return self._taken.get(network, 0) >= self._most

    def take(self, network: str) -> bool:
        """Takes a place; False, and nothing is taken, where the network has its share."""
        taken = self._taken.get(network, 0)
        if taken >= self._most:
            return False
        self._taken[network] = taken + 1
        return True

    def give_back(self, network: str) -> None:
        left = self._taken.get(network, 0) - 1
        if left > 0:
            self._taken[network] = left
        else:
            self._taken.pop(network, None)

    def taken(self, network: str) -> int:
        return self._taken.get(network, 0)
