"""Parameter sets are kept by id, the newest of each, and go into one packet."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livecommerce.media.wire import h264
from livecommerce.media.wire.parameter_sets import AGGREGATE_BYTES_MAX, KEPT_MAX, UNIT_BYTES_MAX, KeptSets, parse_sprop

# Ids: SPS 0 and 1, PPS 0 on SPS 0, PPS 1 on SPS 0, PPS 0 on SPS 1.
SPS_0, SPS_1 = b"\x67\x42\xc0\x14\xda", b"\x67\x42\xc0\x14\x5a"
PPS_0, PPS_1, PPS_OF_1 = b"\x68\xce\x38", b"\x68\x5c\xe3", b"\x68\xa6\x38"


def kept(*units: bytes) -> KeptSets:
    sets = KeptSets()
    for number, unit in enumerate(units):
        sets.keep(unit, number)
    return sets


@pytest.mark.parametrize(
    ("units", "sequence", "picture"),
    [
        ((SPS_0, PPS_0), (SPS_0,), (PPS_0,)),
        ((PPS_0, SPS_0), (SPS_0,), (PPS_0,)),
        ((SPS_0, SPS_1, PPS_0, PPS_1), (SPS_0, SPS_1), (PPS_0, PPS_1)),
        ((SPS_0, PPS_OF_1), (SPS_0,), ()),
        ((SPS_0, PPS_0, SPS_0 + b"2"), (SPS_0 + b"2",), (PPS_0,)),
        ((SPS_0, PPS_0 + bytes(UNIT_BYTES_MAX)), (SPS_0,), ()),
        ((b"", b"\x67", b"\x68", b"\x65slice", b"\x61"), (), ()),
    ],
    ids=["both", "in disorder", "two of each", "a PPS of another SPS", "the newest", "too long", "what is none"],
)
def test_what_is_kept(units: tuple[bytes, ...], sequence: tuple[bytes, ...], picture: tuple[bytes, ...]) -> None:
    sets = kept(*units)
    assert (sets.sequence, sets.picture) == (sequence, picture)
    body = sets.aggregate()
    assert tuple(unit for _, unit in h264.units(body)) == ((*sequence, *picture) if picture else ())
    assert bool(body) is bool(picture)


def test_a_late_packet_does_not_bring_an_older_set_back() -> None:
    sets = KeptSets()
    sets.keep(SPS_0 + b"new", 20)
    sets.keep(SPS_0 + b"old", 10)
    assert sets.sequence == (SPS_0 + b"new",)


def test_another_sender_begins_with_what_its_sdp_says() -> None:
    sets = kept(SPS_0, PPS_0)
    sets.begin((SPS_1, PPS_OF_1))
    assert (sets.sequence, sets.picture) == ((SPS_1,), (PPS_OF_1,))
    sets.keep(SPS_1 + b"in the stream", 0)
    assert sets.sequence == (SPS_1 + b"in the stream",)
    sets.begin()
    assert sets.aggregate() == b""


def test_it_is_bounded() -> None:
    long = [
        SPS_0 + bytes(UNIT_BYTES_MAX - 10),
        *(PPS_0 + bytes(UNIT_BYTES_MAX - 10), PPS_1 + bytes(UNIT_BYTES_MAX - 10)),
    ]
    assert kept(*long).aggregate() == b"", f"more than {AGGREGATE_BYTES_MAX} bytes go into no packet"
    identities = [bytes((0x68, 0x80 >> zeros, 0xFF, 0xFF)) for zeros in range(7)]
    assert len(kept(SPS_0, SPS_1, *identities)._kept[h264.PICTURE_PARAMETERS]) <= KEPT_MAX
    assert len(parse_sprop(",".join(["Z0LAFA=="] * 100))) <= 2 * KEPT_MAX


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=12), st.text(max_size=60))
def test_noise_is_kept_as_whole_packets_or_not_at_all(units: list[bytes], text: str) -> None:
    sets = kept(*(bytes((kind,)) + unit for unit in units for kind in (0x67, 0x68)))
    assert len(h264.units(sets.aggregate())) in (0, len(sets.sequence) + len(sets.picture))
    assert all(unit[0] & 0x1F in (7, 8) for unit in parse_sprop(text))
