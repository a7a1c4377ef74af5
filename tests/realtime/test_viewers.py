"""Joined sockets: into how many parts a crowd is divided, how parts share it, and which way frames take to one."""

from __future__ import annotations

import pytest

from livecommerce.http.identity import Identity
from livecommerce.realtime import viewers as module
from livecommerce.realtime.close_codes import SLOW, CloseCode
from livecommerce.realtime.frames import event_frame
from livecommerce.realtime.viewers import BLOCKED, PARTS_MAX, Part, Viewer, parts_wanted


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_VIEWERS", 2)


def viewer(number: int, audience: str = "viewer", serializer: str = "json") -> Viewer:
    identity = Identity(viewer=f"viewer-{number}", staff=None, address="192.0.2.1")
    made = Viewer(str(number), f"e{number}", identity, audience, "mark")  # type: ignore[arg-type]
    made.serializer = serializer  # type: ignore[assignment]
    return made


class Wire:
    """A transport and door that keep what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed_with: CloseCode | None = None

    def get_write_buffer_size(self) -> int:
        return 0

    buffered = get_write_buffer_size

    def write(self, frame: bytes) -> None:
        self.written.append(frame)

    def goodbye(self, close_code: CloseCode) -> None:
        self.closed_with = close_code


@pytest.mark.parametrize(("viewers", "parts"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (999, PARTS_MAX)])
def test_parts_wanted(viewers: int, parts: int) -> None:
    assert parts_wanted(viewers) == parts


def test_a_split_and_a_join_keep_every_viewer_in_its_group() -> None:
    part = Part("7-0", count=3, count_at=1.5)
    groups = [("viewer", "json"), ("viewer", "msgpack"), ("staff", "json"), ("staff", "msgpack")]
    everyone = [viewer(number, *groups[number % 4]) for number in range(12)]
    for one in everyone:
        part.add(one)
    other = part.split()
    assert (other.offset, other.count, other.count_at) == ("7-0", 3, 1.5), "it goes on from where the whole stood"
    assert {part.size(), other.size()} == {8, 4}, "of three in a group every second goes, the first with it"
    assert all(one.part in (part, other) for one in everyone)
    for group in groups:
        members = [*part.members(group), *other.members(group)]  # type: ignore[arg-type]
        assert {(one.audience, one.serializer) for one in members} == {group}
    part.take(other)
    assert (part.size(), other.size()) == (12, 0)
    assert all(one.part is part for one in everyone)
    part.remove(everyone[0])
    part.remove(everyone[0])
    assert (part.size(), everyone[0].part) == (11, None)


def test_each_turn_begins_with_another_viewer() -> None:
    part = Part("1-0")
    group = ("viewer", "json")
    for number in range(8):
        part.add(viewer(number))
    firsts = []
    for _ in range(4):
        members = part.members(group)  # type: ignore[arg-type]
        assert sorted(one.sid for one in members) == [str(number) for number in range(8)]
        firsts.append(members[0].sid)
        part.news("2-0")
    assert firsts == ["0", "2", "4", "6"]


def test_a_part_hands_over_its_news_once_and_stands_where_they_end() -> None:
    part = Part("1-0")
    part.events += [{"t": "chat"}, {"t": "pin"}]
    assert [event["t"] for event in part.news("2-0")] == ["chat", "pin"]
    assert (part.news("2-0"), part.offset) == ([], "2-0")


def test_frames_go_to_the_transport_only_while_the_viewer_keeps_up() -> None:
    one, wire = viewer(1), Wire()
    one.send("you", {"n": 1})
    assert one.pipe is BLOCKED, "before the door is open nothing is written"
    one.door = wire
    one.plug(wire)  # type: ignore[arg-type]
    assert one.pipe is wire
    one.set_slow_since(5.0)
    assert one.pipe is BLOCKED
    one.set_slow_since(0.0)
    assert one.pipe is wire
    one.send("you", {"n": 2})
    assert wire.written == [event_frame("json", "you", {"n": 2})]
    one.goodbye(SLOW)
    assert (one.pipe, one.transport, wire.closed_with) == (BLOCKED, None, SLOW)
    with pytest.raises(AssertionError):
        BLOCKED.write(b"x")
