"""What a sender is told about its packets: missing numbers, loss, arrivals, the estimate."""

from __future__ import annotations

from livecommerce.media.ingest.feedback import ArrivalLog, RateLimit, Reception
from livecommerce.media.wire import rtcp


def test_arrivals_are_fed_back_once_each() -> None:
    log = ArrivalLog()
    for sequence, at in ((65_534, 10.0), (65_535, 10.001), (2, 10.3), (1, 10.31)):
        log.note(sequence, at)
    packets = log.feedback(1, 5)
    assert rtcp.parse(packets[0]) == [rtcp.TransportFeedback(65_534, 5, 4)]
    assert log.feedback(1, 5) == []
    log.note(65_535, 11.0)
    assert log.feedback(1, 5) == []
    log.note(3, 11.0)
    assert rtcp.parse(log.feedback(1, 5)[0]) == [rtcp.TransportFeedback(3, 1, 1)]


def test_missing_packets_are_asked_for_until_they_come() -> None:
    reception = Reception(5, 90_000)
    for sequence in (10, 11, 14):
        reception.note(sequence, 0, 100, now=1.0)
    assert reception.wanted(1.0) == [12, 13]
    assert reception.wanted(1.01) == []
    assert reception.wanted(1.05) == [12, 13]
    reception.note(12, 0, 100, now=1.06)
    assert reception.repaired == 1
    asked = [reception.wanted(1.1 + step * 0.11) for step in range(20)]
    assert sum(map(bool, asked)) == 8
    assert reception.abandoned == 1


def test_a_gap_of_thousands_asks_for_a_bounded_part() -> None:
    reception = Reception(5, 90_000)
    reception.note(0, 0, 100, now=1.0)
    reception.note(2_500, 0, 100, now=1.0)
    assert len(reception.wanted(1.0)) <= rtcp.NACK_NUMBERS_MAX
    assert reception.missing_count <= 512


def test_the_report_tells_the_loss_since_the_last_one() -> None:
    reception = Reception(5, 90_000)
    for sequence in (65_530, 65_531, 65_534, 65_535, 0, 1, 2, 3):
        reception.note(sequence, 0, 100, now=1.0)
    block = reception.block(1.0)
    assert block is not None
    assert (block.packets_lost, block.fraction_lost) == (2, 256 * 2 // 10)
    reception.note(4, 0, 100, now=1.1)
    block = reception.block(2.0)
    assert block is not None
    assert (block.packets_lost, block.fraction_lost) == (2, 0)


def test_the_estimate_falls_with_loss_and_climbs_back() -> None:
    limit = RateLimit(2_500)
    assert limit.step(0.0) == 2_500_000
    assert limit.step(0.2) == 2_000_000
    assert limit.step(0.05) == 2_000_000
    for _ in range(10):
        limit.step(0.0)
    assert limit.bits_per_second == 2_500_000
