"""What one network may have of a bounded pool."""

from __future__ import annotations

from livecommerce.http.shares import Shares


def test_each_network_has_a_share_and_a_place_given_back_is_free_again() -> None:
    shares = Shares(2)
    assert [shares.take("203.0.113.7") for _ in range(3)] == [True, True, False]
    assert shares.is_full("203.0.113.7")
    assert shares.take("198.51.100.1")
    shares.give_back("203.0.113.7")
    assert (shares.taken("203.0.113.7"), shares.is_full("203.0.113.7")) == (1, False)


def test_nothing_is_kept_of_a_network_that_has_no_place() -> None:
    shares = Shares(2)
    for number in range(100):
        assert shares.take(str(number))
        shares.give_back(str(number))
        shares.give_back("never taken")
    assert not shares._taken
