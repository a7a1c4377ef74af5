"""RTP packets become whole pictures and sounds, or nothing: never a part of one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecommerce.media.packaging.access_units import (
    VIDEO_WAIT_SECONDS,
    AccessUnitAssembler,
    MediaPacket,
    OpusAssembler,
    ParameterSets,
    Reorder,
    extend,
    nal_units,
    opus_samples,
)
from tests.media.broadcast import Sender, encode_pictures, encode_sound

PICTURES = encode_pictures(3.0, keys_at={0, 30, 60})


def packets_of(pictures=PICTURES):
    sender = Sender()
    return [packet for picture in pictures for packet in sender.packets(picture)]


def collect(packets, seconds_apart=0.003):
    assembler = AccessUnitAssembler()
    found, now = [], 0.0
    for packet in packets:
        now += seconds_apart
        found += assembler.push(packet, now)
    found += assembler.due(now + 1)
    return assembler, found


def test_every_picture_of_an_undisturbed_host_comes_out_once():
    _, units = collect(packets_of())
    assert len(units) == len(PICTURES) == 90
    assert [index for index, unit in enumerate(units) if unit.is_key] == [0, 30, 60]
    assert [unit.timestamp - units[0].timestamp for unit in units] == [index * 3_000 for index in range(90)]


def test_timestamps_go_on_growing_over_the_32_bit_wrap():
    _, units = collect(packets_of())
    assert units[0].timestamp < 1 << 32 < units[-1].timestamp


def test_packets_in_disorder_give_the_same_pictures():
    packets, random_source = packets_of(), random.Random(5)
    shuffled = sorted(packets, key=lambda packet: packet.number + random_source.random() * 6)
    first = packets[0].number
    shuffled.sort(key=lambda packet: packet.number != first)  # what comes first is where we begin
    assert collect(shuffled)[1] == collect(packets)[1]


@pytest.mark.parametrize("place", ["first packet of a picture", "last packet of a picture", "a whole picture"])
def test_loss_drops_pictures_up_to_the_next_key_picture(place):
    sender = Sender()
    runs = [sender.packets(picture) for picture in PICTURES]
    runs[40] = {
        "first packet of a picture": runs[40][1:],
        "last packet of a picture": runs[40][:-1],
        "a whole picture": [],
    }[place]
    assembler, units = collect([packet for run in runs for packet in run], seconds_apart=0.02)
    zero = units[0].timestamp
    assert [(unit.timestamp - zero) // 3_000 for unit in units] == [*range(40), *range(60, 90)]
    assert assembler.lost_packets >= 1


def test_it_asks_for_a_keyframe_only_while_pictures_cannot_be_decoded():
    packets = packets_of()
    assembler = AccessUnitAssembler()
    assert assembler.needs_keyframe
    for packet in packets[:20]:
        assembler.push(packet, 0.0)
    assert not assembler.needs_keyframe
    for packet in packets[21:26]:
        assembler.push(packet, 0.1)
    assert not assembler.needs_keyframe  # the hole may still be filled
    assembler.due(0.1 + VIDEO_WAIT_SECONDS + 0.1)
    assert assembler.needs_keyframe


def test_a_repeated_packet_within_the_wait_loses_nothing():
    packets = packets_of()
    late = packets.pop(50)
    packets.insert(80, late)
    assert len(collect(packets)[1]) == 90


def test_a_host_who_vanishes_within_a_picture_leaves_no_half_of_it():
    sender = Sender()
    before = [packet for picture in PICTURES[:20] for packet in sender.packets(picture)]
    key = sender.packets(PICTURES[30])
    packets = before + key[: len(key) // 2]
    sender.numbers["video"] = packets[-1].number + 1  # the canonical track numbers on without a hole
    after = [packet for picture in PICTURES[60:] for packet in sender.packets(picture)]
    _, units = collect(packets + after)
    assert len(units) == 20 + 30
    assert units[20].is_key


def test_joining_in_the_middle_waits_for_a_key_picture():
    _, units = collect(packets_of(PICTURES[10:]))
    assert len(units) == 60
    assert units[0].is_key


def test_padding_probes_between_pictures_change_nothing():
    with_probes, number = [], 0
    for packet in packets_of():
        with_probes.append(packet._replace(number=packet.number + number))
        if packet.marker:
            number += 1
            with_probes.append(MediaPacket(packet.number + number, packet.timestamp, False, b""))
    assert len(collect(with_probes)[1]) == 90


def test_a_sample_is_units_behind_their_lengths_with_parameters_where_asked():
    _, units = collect(packets_of())
    plain, whole = units[0].sample(), units[0].sample(with_parameters=True)
    assert int.from_bytes(plain[:4], "big") == len(units[0].units[0])
    assert whole.endswith(plain)
    assert whole[4] & 0x1F == 7
    assert units[1].sample(with_parameters=True) == units[1].sample()


@pytest.mark.parametrize(
    ("payloads", "why"),
    [
        ([b"\x7c\x05ab"], "a fragment without its start"),
        ([b"\x7c\x85ab"], "a fragment without its end"),
        ([b"\x7c\x85ab", b"\x41cd"], "another unit inside a fragmented one"),
        ([b"\x7c\x85ab", b"\x7c\x85cd"], "two starts"),
        ([b"\x78\x00\x09ab"], "an aggregate that promises too much"),
        ([b"\x78\x00"], "an aggregate cut in its length"),
        ([b"\x79\x00\x01ab"], "a kind that packetization mode 1 does not have"),
    ],
)
def test_what_does_not_fit_together_is_no_picture(payloads, why):
    assert nal_units(payloads) is None, why


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_hostile_payloads_are_units_or_nothing(payloads):
    units = nal_units(payloads)
    assert units is None or all(units)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2**32 - 1), st.booleans(), st.binary(max_size=8))))
def test_hostile_packets_never_raise_and_never_give_a_picture_before_a_key(rows):
    assembler = AccessUnitAssembler()
    units = [unit for row in rows for unit in assembler.push(MediaPacket(*row), 0.0)]
    assert not units or units[0].is_key


@pytest.mark.parametrize("message", [b"", b"\x06\x05\x01x\x80"], ids=["a slice first", "a message first"])
@pytest.mark.parametrize("is_together", [False, True])
def test_a_show_may_begin_with_a_key_picture_whose_sets_only_the_sdp_tells(message, is_together):
    key = b"\x65\x88slice"
    units = [message, key] if message else [key]
    if is_together:
        units = [b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)]
    assembler = AccessUnitAssembler(lambda: ParameterSets((b"\x67s",), (b"\x68p",)))
    found = []
    for number, unit in enumerate(units):
        found += assembler.push(MediaPacket(number, 90, number == len(units) - 1, unit), 0.0)
    (picture,) = found
    assert picture.is_key
    assert picture.parameters.sequence == (b"\x67s",)


def test_a_hole_is_given_up_when_too_much_waits_behind_it():
    reorder = Reorder(wait_seconds=1e9)
    passed = []
    for number in (0, *range(2, 2_000)):
        passed += reorder.push(MediaPacket(number, 0, True, b"x"), 0.0)
    assert len(passed) == 1_999
    assert reorder.lost_packets == 1


def test_opus_frames_know_their_length():
    assembler, sender = OpusAssembler(), Sender()
    frames = [
        frame for one in encode_sound(1.0) for packet in sender.packets(one) for frame in assembler.push(packet, 0)
    ]
    assert len(frames) >= 49
    assert {frame.duration for frame in frames} == {960}


@pytest.mark.parametrize(
    ("data", "samples"),
    [
        (b"\xf8\xff\xfe", 960),
        (b"\x08", 960),
        (b"\x00x", 480),
        (b"\x18x", 2_880),
        (b"\xf9xx", 1_920),
        (b"\xfb\x03x", 2_880),
        (b"\xfb", 0),
        (b"\x1b\x3fx", 0),
        (b"", 0),
    ],
)
def test_opus_packet_lengths(data, samples):
    assert opus_samples(data) == samples


@pytest.mark.parametrize(
    ("timestamp", "reference", "extended"),
    [
        (5, None, 5),
        (5, 3, 5),
        (2, 2**32 - 1, 2**32 + 2),
        (2**32 - 1, 2**32 + 2, 2**32 - 1),
        (7, 5 * 2**32, 5 * 2**32 + 7),
    ],
)
def test_timestamps_extend_to_the_nearest(timestamp, reference, extended):
    assert extend(timestamp, reference) == extended
