"""The compiled core does what the Python loop does, byte for byte, and stays out of the way where it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import importlib.util
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from livecommerce.configuration.tree import Settings
from livecommerce.doctor import command
from livecommerce.media.compiled import compiled
from livecommerce.media.plane import MediaPlane
from livecommerce.media.relay import RelayPlace, serve_relay
from livecommerce.media.settings import Media
from livecommerce.media.tracks.fanout import FanOut
from livecommerce.media.tracks.lane import Lane, LaneKey
from livecommerce.media.tracks.track import CanonicalPacket, Track
from livecommerce.media.transport.srtp import GcmOutbound
from livecommerce.media.transport.udp import Socket
from livecommerce.media.wire import rtp

ROOT = Path(__file__).resolve().parents[3]
SO_NO_CHECK = 11
# Where nothing was built, these tests hold for Python alone.
CORES = list(dict.fromkeys((compiled.core(), None)))


def udp_socket() -> socket.socket:
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    udp.setblocking(False)
    udp.bind(("127.0.0.1", 0))
    return udp


def drain(udp: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(udp.recv(2_048))
        except BlockingIOError:
            return found


@pytest.fixture
def sink() -> Iterator[socket.socket]:
    with udp_socket() as udp:
        yield udp


@pytest.fixture(params=CORES, ids=lambda core: "Python" if core is None else "compiled")
def core(request: pytest.FixtureRequest) -> ModuleType | None:
    found: ModuleType | None = request.param
    return found


class Audience:
    """Viewers with all that may differ between them, one socket each; the same seed makes the same viewers."""

    def __init__(self, core: ModuleType | None, tracks: dict[str, Track], seed: int) -> None:
        rng = random.Random(seed)
        self.udp = udp_socket()
        self.out = Socket(self.udp, core)
        self.fan_outs = {kind: FanOut(track, self.out) for kind, track in tracks.items()}
        self.sinks: list[socket.socket] = []
        self.lanes: list[Lane] = []
        for _ in range(rng.randrange(1, 6)):
            sink, outbound = udp_socket(), GcmOutbound(rng.randbytes(28))
            self.sinks.append(sink)
            lanes = {
                kind: Lane(track, rng.randrange(96, 127), outbound, sink.getsockname(), send_time_id=rng.randrange(4))
                for kind, track in tracks.items()
            }
            for kind, lane in lanes.items():
                lane.ssrc = rng.getrandbits(32)
                lane.start(tracks[kind].head + 1 - rng.randrange(0, 5_000))
                lane.time_shift = rng.choice((0, 1, 450_000))
            is_riding = rng.random() < 0.7
            self.fan_outs["audio"].add(lanes["audio"], is_riding=is_riding)
            lanes["video"].rider = lanes["audio"] if is_riding else None
            self.fan_outs["video"].add(lanes["video"])
            self.lanes += lanes.values()

    def send(self, pictures: list[CanonicalPacket], sounds: list[CanonicalPacket]) -> list[list[bytes]]:
        """As `Stream` does; what arrived at each viewer, in no order."""
        rider = (self.fan_outs["audio"].track, sounds[0]) if len(sounds) == 1 else None
        has_ridden = self.fan_outs["video"].send(pictures, rider)
        (self.fan_outs["audio"].send_alone if has_ridden else self.fan_outs["audio"].send)(sounds)
        self.fan_outs["video"].send_to(pictures[1::2], self.lanes[0])
        return [sorted(drain(sink)) for sink in self.sinks]

    def close(self) -> None:
        for each in (self.udp, *self.sinks):
            each.close()


class TestBothWays:
    @settings(max_examples=80, deadline=None)
    @given(
        st.lists(st.integers(0, 1_300), min_size=1, max_size=40),
        st.lists(st.integers(1, 300), min_size=1, max_size=2),
        st.booleans(),
        st.integers(0, 1 << 32),
    )
    def test_the_same_bytes_reach_the_same_viewers(
        self, sizes: list[int], sound_sizes: list[int], has_gso: bool, seed: int
    ) -> None:
        rng = random.Random(seed)
        tracks = {"video": Track("video", 90_000), "audio": Track("audio", 48_000)}
        for kind, lengths in (("video", sizes), ("audio", sound_sizes)):
            for index, size in enumerate(lengths):
                packet = rtp.RtpPacket(102, rng.random() < 0.5, index, 7, 9, rng.randbytes(size), 0, b"")
                tracks[kind].take(packet, 1.0)
        pictures, sounds = (tracks[kind].flush(rng.random() * 100) for kind in ("video", "audio"))
        arrived, told = [], []
        for core in CORES:
            audience = Audience(core, tracks, seed)
            audience.out.has_gso = has_gso
            arrived.append(audience.send(pictures, sounds))
            told.append([(lane.packets, lane.octets) for lane in audience.lanes])
            counters = audience.out.counters
            told[-1] += [(counters.packets, counters.octets), (counters.calls, counters.refused)]
            audience.close()
        assert all(each == arrived[0] for each in arrived)
        assert all(each == told[0] for each in told)
        assert sum(map(len, arrived[0])) >= (len(pictures) + len(sounds)) * len(arrived[0])

    def test_an_outlet_has_all_by_which_lanes_differ(self) -> None:
        """Whoever adds to `LaneKey` has to tell the core as well, and to vary it in `Audience`."""
        assert LaneKey._fields == ("ssrc", "payload_type", "phase", "shift", "time_shift", "send_time_id")

    def test_a_lane_keeps_count_when_it_leaves_and_comes_back(self, core: ModuleType | None, sink: Any) -> None:
        track = Track("video", 90_000)
        with udp_socket() as udp:
            fan_out = FanOut(track, Socket(udp, core))
            lane = Lane(track, 102, GcmOutbound(bytes(28)), sink.getsockname())
            lane.start(track.head + 1)
            for index in range(3):
                fan_out.add(lane)
                track.take(rtp.RtpPacket(102, True, index, index, 9, b"picture", 0, b""), 1.0)
                fan_out.send(track.flush(1.0))
                fan_out.discard(lane)
                fan_out.send_to(track.between(track.head, track.head), lane)
        assert fan_out.lane_count == 0
        assert (lane.packets, lane.octets, len(drain(sink))) == (6, 42, 6)

    def test_viewers_by_ipv6(self, core: ModuleType | None) -> None:
        track = Track("video", 90_000)
        with (
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp,
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as viewer,
            udp_socket() as old_viewer,
        ):
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            viewer.bind(("::1", 0))
            fan_out = FanOut(track, Socket(udp, core))
            addresses = (viewer.getsockname(), ("::ffff:127.0.0.1", old_viewer.getsockname()[1], 0, 0))
            for address in addresses:
                lane = Lane(track, 102, GcmOutbound(bytes(28)), address)
                lane.start(track.head + 1)
                fan_out.add(lane)
            track.take(rtp.RtpPacket(102, True, 1, 1, 9, b"picture", 0, b""), 1.0)
            fan_out.send(track.flush(1.0))
            assert viewer.recv(100) == old_viewer.recv(100)

    @pytest.mark.parametrize(
        ("segmented_before", "stays_on"), [(0, False), (100, True)], ids=["never worked", "one narrow path"]
    )
    def test_where_the_kernel_refuses_segmentation_plain_sends_follow(
        self, core: ModuleType | None, segmented_before: int, stays_on: bool, sink: Any
    ) -> None:
        """Without checksums the kernel does not segment, by EINVAL, as on a path that is too narrow."""
        track = Track("video", 90_000)
        with udp_socket() as udp:
            udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
            out = Socket(udp, core)
            out.counters.segmented = segmented_before
            fan_out = FanOut(track, out)
            for _ in range(3):
                lane = Lane(track, 102, GcmOutbound(os.urandom(28)), sink.getsockname())
                lane.start(track.head + 1)
                fan_out.add(lane)
            for index in range(4):
                track.take(rtp.RtpPacket(102, index == 3, index, 7, 9, b"picture", 0, b""), 1.0)
            fan_out.send(track.flush(1.0))
        assert out.has_gso is stays_on
        assert len(drain(sink)) == out.counters.packets == 12
        assert out.counters.refused == 0

    def test_hundreds_of_narrow_paths_are_all_served(self, core: ModuleType | None, sink: Any) -> None:
        track = Track("video", 90_000)
        with udp_socket() as udp:
            udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
            out = Socket(udp, core)
            out.counters.segmented = 100_000  # elsewhere it has worked
            fan_out = FanOut(track, out)
            lanes = [Lane(track, 102, GcmOutbound(os.urandom(28)), sink.getsockname()) for _ in range(700)]
            for lane in lanes:
                lane.start(track.head + 1)
                fan_out.add(lane)
            for index in range(2):
                track.take(rtp.RtpPacket(102, index == 1, index, 7, 9, b"picture", 0, b""), 1.0)
            fan_out.send(track.flush(1.0))
        assert out.has_gso
        assert {lane.packets for lane in lanes} == {2}
        assert len(drain(sink)) == out.counters.packets == 1_400

    def test_one_address_that_cannot_be_sent_to_harms_no_other(self, core: ModuleType | None, sink: Any) -> None:
        track = Track("video", 90_000)
        with udp_socket() as udp:
            out = Socket(udp, core)
            fan_out = FanOut(track, out)
            for address in (sink.getsockname(), ("255.255.255.255", 9), sink.getsockname()):
                lane = Lane(track, 102, GcmOutbound(os.urandom(28)), address)
                lane.start(track.head + 1)
                fan_out.add(lane)
            track.take(rtp.RtpPacket(102, True, 1, 7, 9, b"picture", 0, b""), 1.0)
            fan_out.send(track.flush(1.0))
        assert len(drain(sink)) == 2
        assert (out.counters.packets, out.counters.refused) == (2, 1)


def outlet_arguments(core: Any, **changed: Any) -> list[Any]:
    named = {
        "key": core.Key(bytes(16), bytes(12)),
        "tally": core.Tally(),
        "host": "127.0.0.1",
        "port": 9,
        "scope": 0,
        "ssrc": 1,
        "payload_type": 102,
        "phase": 0,
        "shift": 0,
        "time_shift": 0,
        "send_time_id": 0,
        "rider": None,
    }
    return list({**named, **changed}.values())


PACKET = (70_000, 5, True, False, 0, b"picture")


@pytest.mark.parametrize("core", [each for each in CORES if each is not None], ids=lambda _: "compiled")
class TestBounds:
    @pytest.mark.parametrize(
        "changed",
        [
            {"host": "viewer.example"},
            {"host": "127.0.0.1\0"},
            {"port": 65_536},
            {"port": -1},
            {"ssrc": 1 << 32},
            {"payload_type": 128},
            {"phase": 1 << 16},
            {"shift": 1 << 47},
            {"time_shift": 1 << 32},
            {"send_time_id": 15},
            {"rider": "me"},
            {"key": None},
            {"tally": None},
        ],
        ids=str,
    )
    def test_no_lane_is_like_this(self, core: Any, changed: dict[str, Any]) -> None:
        with pytest.raises((ValueError, TypeError)):
            core.Outlet(*outlet_arguments(core, **changed))

    @pytest.mark.parametrize(
        "packets",
        [
            [],
            [PACKET] * 64,
            [PACKET[:5]],
            [list(PACKET)],
            [(-1, *PACKET[1:])],
            [(1 << 47, *PACKET[1:])],
            [(*PACKET[:1], 1 << 32, *PACKET[2:])],
            [(*PACKET[:4], 1 << 24, b"x")],
            [(*PACKET[:5], b"x" * 2_001)],
            [(*PACKET[:5], "text")],
            [(*PACKET[:5], bytearray(b"x"))],
        ],
        ids=range(11),
    )
    def test_no_run_is_like_this(self, core: Any, packets: list[Any], sink: Any) -> None:
        outlet = core.Outlet(*outlet_arguments(core, port=sink.getsockname()[1]))
        with pytest.raises((ValueError, TypeError)):
            core.send(sink.fileno(), [outlet], packets, None, True)
        with pytest.raises((ValueError, TypeError)):
            core.send(sink.fileno(), [outlet], [PACKET], packets and packets[0] and (), True)
        assert drain(sink) == []

    @pytest.mark.parametrize("outlets", [(), [None], ["lane"], None], ids=str)
    def test_no_audience_is_like_this(self, core: Any, outlets: Any, sink: Any) -> None:
        with pytest.raises(TypeError):
            core.send(sink.fileno(), outlets, [PACKET], None, True)

    @pytest.mark.parametrize(
        ("arguments", "fault"),
        [
            ((b"", b"x", -1, 0), ValueError),
            ((b"", b"x", 1 << 32, 0), ValueError),
            ((b"", b"x", 1, -1), ValueError),
            ((b"", b"x", 1, 1 << 48), ValueError),
            ((b"", "x", 1, 1), TypeError),
            ((b"", b"x" * 70_000, 1, 1), ValueError),
        ],
    )
    def test_no_datagram_is_like_this(self, core: Any, arguments: Any, fault: type[Exception]) -> None:
        with pytest.raises(fault):
            core.Key(bytes(16), bytes(12)).seal(*arguments)

    @pytest.mark.parametrize("sizes", [(15, 12), (16, 11), (32, 12), (0, 0)])
    def test_no_key_is_like_this(self, core: Any, sizes: tuple[int, int]) -> None:
        with pytest.raises(ValueError):
            core.Key(*map(bytes, sizes))

    def test_an_index_below_zero_is_never_sealed(self, core: Any, sink: Any) -> None:
        """It would stand for another packet's nonce."""
        outlet = core.Outlet(*outlet_arguments(core, port=sink.getsockname()[1], shift=-70_001))
        assert core.send(sink.fileno(), [outlet], [PACKET, (70_001, *PACKET[1:])], None, True)[1:5] == (1, 1, 35, 1)
        assert len(drain(sink)) == 1

    def test_a_closed_socket_refuses_all(self, core: Any) -> None:
        outlet = core.Outlet(*outlet_arguments(core))
        assert core.send(-1, [outlet] * 3, [PACKET], None, True) == (3, 0, 0, 0, 3, [])

    def test_what_failed_is_told_with_its_datagrams(self, core: Any, sink: Any) -> None:
        with udp_socket() as udp:
            udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
            outlet = core.Outlet(*outlet_arguments(core, port=sink.getsockname()[1]))
            served, calls, _, _, refused, failures = core.send(udp.fileno(), [outlet] * 2, [PACKET] * 2, None, True)
        assert (served, calls, refused) == (2, 0, 0)
        assert [each[:3] for each in failures] == [(0, errno.EINVAL, 35), (1, errno.EINVAL, 35)]
        assert {len(each[3]) for each in failures} == {70}


def sealers(core: Any) -> list[str]:
    """Those that are on this machine."""
    found = []
    for name in compiled.SEALERS:
        with contextlib.suppress(OSError):
            core.use(name)
            found.append(name)
    core.use(compiled.find().by)
    return found


SEALERS = [(core, name) for core in CORES if core is not None for name in sealers(core)]


@pytest.mark.parametrize(("core", "sealer"), SEALERS, ids=[name for _, name in SEALERS])
class TestSealers:
    """Each against `cryptography`, bit for bit."""

    @pytest.fixture(autouse=True)
    def by(self, core: Any, sealer: str) -> Iterator[None]:
        core.use(sealer)
        yield
        core.use(compiled.find().by)

    @settings(max_examples=300, deadline=None)
    @given(
        st.binary(min_size=16, max_size=16),
        st.binary(min_size=12, max_size=12),
        st.binary(max_size=40),
        st.binary(max_size=1_600),
        st.integers(0, (1 << 32) - 1),
        st.integers(0, (1 << 48) - 1),
    )
    def test_any_packet(
        self, core: Any, sealer: str, secret: bytes, salt: bytes, header: bytes, payload: bytes, ssrc: int, index: int
    ) -> None:
        nonce = (int.from_bytes(salt, "big") ^ (ssrc << 48 | index)).to_bytes(12, "big")
        expected = header + AESGCM(secret).encrypt(nonce, payload, header)
        assert core.Key(secret, salt).seal(header, payload, ssrc, index) == expected

    def test_every_length_of_a_datagram(self, core: Any, sealer: str) -> None:
        secret, salt, header, payload = os.urandom(16), os.urandom(12), os.urandom(20), os.urandom(1_600)
        key, reference = core.Key(secret, salt), AESGCM(secret)
        for length in range(1_601):
            nonce = (int.from_bytes(salt, "big") ^ (7 << 48 | length)).to_bytes(12, "big")
            expected = header + reference.encrypt(nonce, payload[:length], header)
            assert key.seal(header, payload[:length], 7, length) == expected

    def test_the_vector_of_the_standard(self, core: Any, sealer: str) -> None:
        """Test case 4 of the GCM specification, by McGrew and Viega."""
        key = core.Key(bytes.fromhex("feffe9928665731c6d6a8f9467308308"), bytes.fromhex("cafebabefacedbaddecaf888"))
        plain = (
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        )
        sealed = (
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
            "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
            "5bc94fbc3221a5db94fae95ae7121a47"
        )
        header = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        assert key.seal(header, bytes.fromhex(plain), 0, 0) == header + bytes.fromhex(sealed)


class TestFinding:
    @pytest.fixture(autouse=True)
    def look_anew(self) -> Iterator[None]:
        compiled.find.cache_clear()
        yield
        compiled.find.cache_clear()

    def test_switched_off(self) -> None:
        assert compiled.core(is_wanted=False) is None

    def test_a_core_that_encrypts_otherwise_is_not_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        key = SimpleNamespace(seal=lambda header, payload, ssrc, index: header + payload + bytes(16))
        wrong = SimpleNamespace(Key=lambda *_: key, use=lambda _: None)
        monkeypatch.setitem(sys.modules, "livecommerce.media.compiled._sending", wrong)
        monkeypatch.setattr("livecommerce.media.compiled._sending", wrong, raising=False)
        found, reason = compiled.find()
        assert found is None
        assert "AES-NI failed the self-test" in reason

    def test_with_nothing_to_seal_by_python_sends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def use(name: str) -> None:
            raise OSError("cannot open shared object file")

        monkeypatch.setattr("livecommerce.media.compiled._sending", SimpleNamespace(use=use), raising=False)
        found, reason = compiled.find()
        assert found is None
        assert "libcrypto.so.3: cannot open" in reason

    @pytest.mark.parametrize("core", [each for each in CORES if each is not None], ids=lambda _: "compiled")
    def test_a_library_without_the_functions_is_refused(self, core: Any) -> None:
        with pytest.raises(OSError, match="has no EVP_CIPHER_CTX_new"):
            core.use("libm.so.6")

    @pytest.mark.parametrize("wanted", [True, False])
    async def test_metric_and_doctor_say_which_runs(self, wanted: bool, tmp_path: Path) -> None:
        relay = Media(host="127.0.0.1", compiled_sending=wanted)
        planes: list[MediaPlane] = []
        stop = asyncio.Event()

        def ready(plane: MediaPlane) -> None:
            planes.append(plane)
            stop.set()

        await serve_relay(
            relay,
            RelayPlace("1", str(tmp_path / "relay"), 0),
            stop=stop,
            on_stream_event=lambda *_: None,
            on_ready=ready,
        )
        runs = wanted and compiled.find()[0] is not None
        assert planes[0].metrics()["compiled_sending"] == float(runs)
        (finding,) = command._sending(Settings(media=relay))
        assert ("compiled core" in finding.found) is runs


class TestBuilding:
    @pytest.fixture
    def build(self) -> Any:
        spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @pytest.fixture
    def tree(self, build: Any, tmp_path: Path) -> Path:
        source = tmp_path / build.SOURCE
        source.parent.mkdir(parents=True)
        for each in (build.SOURCE, *build.INCLUDED):
            shutil.copy(ROOT / each, source.parent)
        return tmp_path

    def test_built_or_told_why_not(self, build: Any, tree: Path) -> None:
        reason = build.compile_core(tree)
        assert (tree / build.MODULE).exists() is (reason == "")
        assert (reason == "") is (build._compiler() is not None)
        if not reason:
            load = "import sys; sys.path.insert(0, sys.argv[1]); import _sending; print(_sending.Outlet)"
            folder = str((tree / build.MODULE).parent)
            assert "Outlet" in subprocess.check_output([sys.executable, "-c", load, folder], text=True)

    def test_an_older_one_does_not_outlive_a_failure(
        self, build: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tree / build.MODULE).write_bytes(b"of an older source")
        monkeypatch.setenv("CC", "false")
        assert "failed" in build.compile_core(tree)
        assert set(os.listdir((tree / build.MODULE).parent)) == {each.name for each in (build.SOURCE, *build.INCLUDED)}

    def test_without_a_compiler_the_wheel_is_pure(
        self, build: Any, tree: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CC", "")
        monkeypatch.setenv("PATH", "")
        hook = build.CompiledCore(str(tree), {}, None, None, "", "wheel")
        data: dict[str, Any] = {"artifacts": [], "pure_python": True}
        hook.initialize("standard", data)
        assert data == {"artifacts": [], "pure_python": True}
