"""A crowd of Socket.IO viewers on raw sockets, in a process and on a core of its own: it reads, times, checks frames.

A Python WebSocket client would be the bottleneck, so this one knows just enough: the HTTP upgrade, Engine.IO's open,
ping and pong, the Socket.IO connect, and where a frame ends. A tick's frame is the same for all: it is parsed once.

Thousands of viewers in one process wait for each other, as people at their own machines do not. So there are two times
for a frame: when its last segment reached the socket (the kernel's stamp, SO_TIMESTAMPNS), and when it was read here.
Both and the stamp inside a comment are CLOCK_REALTIME of this machine.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import select
import socket
import struct
import time
from multiprocessing.connection import Connection
from typing import Any

import msgpack
import orjson

from loadtest.children import raise_descriptor_limit

READ_BYTES = 256 * 1024
CONNECTING_MAX = 200  # handshakes under way at once
PARSED_MAX = 512  # distinct frames kept parsed: two minutes of ticks
SAMPLES_MAX = 2_000_000
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; the socket module does not name it
TALK_SILENCE_SECONDS = 0.8  # reading alone at the end of a talk: the last lines come to everyone
STAMP_SPACE = socket.CMSG_SPACE(16)  # one struct timespec


class Parsed:
    """What a frame says: offsets, number of events, and for chat lines that we sent their (number, sent time)."""

    __slots__ = ("after", "before", "lines", "name", "size")

    def __init__(self, payload: bytes, binary: bool) -> None:
        data = msgpack.unpackb(payload)["data"] if binary else orjson.loads(payload[2:])
        self.name: str = data[0] if data else ""
        body: Any = data[1] if len(data) > 1 else {}
        self.before = self.after = ""
        self.lines: list[tuple[int, float]] = []
        self.size = 0
        if self.name == "frame":
            self.before, self.after = body["f"], body["t"]
            self.lines = [line for event in body["ev"] if event["t"] == "chat" and (line := _mark(event["text"]))]
            self.size = len(body["ev"])
        elif self.name == "snapshot":
            self.after = body["offset"]


def _mark(text: str) -> tuple[int, float] | None:
    """`#number@seconds …`: number and time of one of our own lines."""
    if not text.startswith("#"):
        return None
    number, _, rest = text[1:].partition("@")
    return int(number), float(rest.split(" ", 1)[0])


class Viewer:
    __slots__ = (
        "acks",
        "arrived",
        "buffer",
        "epoch",
        "fd",
        "frames",
        "gaps",
        "index",
        "last",
        "paused",
        "phase",
        "socket",
    )

    fd: int
    socket: socket.socket

    def __init__(self, index: int) -> None:
        self.index = index
        self.buffer = b""
        self.phase = "new"
        self.last = ""
        self.epoch = ""
        self.gaps = 0
        self.paused = False
        self.frames: list[Parsed] = []
        self.acks = 0
        self.arrived = 0.0  # when the last timed frame was at the socket


class Crowd:
    """Runs in the child process; `serve` takes orders from the pipe."""

    def __init__(self, pipe: Connection, address: tuple[str, int], options: dict[str, Any]) -> None:
        self.pipe = pipe
        self.address = address
        self.options = options
        self.viewers: dict[int, Viewer] = {}
        self.epoll = select.epoll()
        self.parsed: dict[bytes, Parsed] = {}
        self.samples: list[float] = []  # seconds until a frame was at its socket
        self.read_samples: list[float] = []  # seconds until it was read
        self.intervals: list[float] = []  # seconds between two frames of a viewer
        self.keep_frames = False
        self.sampling = False
        self.received = 0
        self.bytes = 0
        self.errors = 0
        self.sent = 0
        self.answers: dict[str, int] = {}
        self.answer_seconds: dict[str, list[float]] = {}
        self._asked: dict[tuple[int, int], float] = {}
        self._index_first = 0

    # --- connecting ------------------------------------------------------------------------------------------------

    def _open(self, viewer: Viewer) -> None:
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setblocking(False)
        # Many client addresses: one address has some 28,000 ports.
        made.bind((f"127.0.{viewer.index // 20_000}.1", 0))
        made.connect_ex(self.address)
        viewer.socket = made
        viewer.fd = made.fileno()
        viewer.buffer = b""
        viewer.phase = "connecting"
        self.viewers[viewer.fd] = viewer
        self.epoll.register(viewer.fd, select.EPOLLOUT)

    def _send(self, viewer: Viewer, payload: bytes) -> None:
        """A masked text frame (RFC 6455 section 5.3; a mask of zero is a mask)."""
        length = len(payload)
        head = bytes((0x81, 0x80 | length)) if length < 126 else b"\x81\xfe" + struct.pack(">H", length)
        try:
            viewer.socket.send(head + b"\0\0\0\0" + payload)
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            self.errors += 1

    def _handshake(self, viewer: Viewer) -> None:
        extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self.options.get("deflate") else ""
        viewer.socket.send(
            (
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                "User-Agent: Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36\r\n"
                "Accept-Language: zh-TW,zh;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\n"
                f"{extension}Cookie: lc_viewer=load-{viewer.index}\r\n\r\n"
            ).encode()
        )
        viewer.phase = "upgrading"
        self.epoll.modify(viewer.fd, select.EPOLLIN)

    def _join(self, viewer: Viewer) -> None:
        auth: dict[str, Any] = {"show": self.options["show"], "as": "viewer", "name": f"v{viewer.index}"}
        if viewer.epoch:
            auth |= {"epoch": viewer.epoch, "offset": viewer.last}
        self._send(viewer, b"40" + orjson.dumps(auth))
        viewer.phase = "joining"

    # --- reading ---------------------------------------------------------------------------------------------------

    def turn(self, seconds: float) -> None:
        """Reads whatever comes within `seconds`."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            for fd, mask in self.epoll.poll(max(0.0, left), 1024):
                viewer = self.viewers.get(fd)
                if viewer is None:
                    continue
                if mask & select.EPOLLOUT and viewer.phase == "connecting":
                    self._handshake(viewer)
                if mask & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                    self._read(viewer)
            if left <= 0:
                return

    def _read(self, viewer: Viewer) -> None:
        arrived = 0.0
        try:
            if self.sampling:
                data, arrived = stamped(viewer.socket)
            else:
                data = viewer.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost(viewer)
            return
        self.bytes += len(data)
        buffer = viewer.buffer + data if viewer.buffer else data
        if viewer.phase == "upgrading":
            head, found, buffer = buffer.partition(b"\r\n\r\n")
            if not found:
                viewer.buffer = head
                return
            if b" 101 " not in head[:20]:
                self._lost(viewer)
                return
            viewer.phase = "opening"
        viewer.buffer = self._frames(viewer, buffer, arrived)

    def _frames(self, viewer: Viewer, buffer: bytes, arrived: float) -> bytes:
        position, end = 0, len(buffer)
        while end - position >= 2:
            first, length = buffer[position], buffer[position + 1]
            start = position + 2
            if length == 126:
                if end - position < 4:
                    break
                length = int.from_bytes(buffer[start : start + 2], "big")
                start += 2
            elif length == 127:
                if end - position < 10:
                    break
                length = int.from_bytes(buffer[start : start + 8], "big")
                start += 8
            if end - start < length:
                break
            self._message(viewer, first, buffer[start : start + length], arrived)
            position = start + length
        return buffer[position:]

    def _message(self, viewer: Viewer, first: int, payload: bytes, arrived: float) -> None:
        if first & 0x0F == 8:
            self._lost(viewer)
        elif payload == b"2":
            self._send(viewer, b"3")
        elif viewer.phase == "ready":
            self.received += 1
            if payload.startswith(b"43"):
                self._answered(viewer, payload)
            elif self.sampling or self.keep_frames:
                self._timed(viewer, first, payload, arrived)
        elif viewer.phase == "opening":
            self._join(viewer)
        elif viewer.phase == "joining":
            # Our server sends a snapshot or the missed frame next; the peer knows neither.
            viewer.phase = "joined" if self.options["snapshot"] else "ready"
        elif viewer.phase == "joined":
            self._timed(viewer, first, payload, arrived)
            viewer.phase = "ready"
            if not viewer.epoch and payload.startswith(b'42["snapshot"'):
                viewer.epoch = orjson.loads(payload[2:])[1]["epoch"]

    def _timed(self, viewer: Viewer, first: int, payload: bytes, arrived: float) -> None:
        if not payload.startswith(b"42"):
            return
        key = payload if len(payload) < 64 else payload[-64:] + len(payload).to_bytes(4, "big") + payload[:48]
        parsed = self.parsed.get(key)
        if parsed is None:
            parsed = self.parsed[key] = Parsed(payload, first & 0x0F == 2)
            while len(self.parsed) > PARSED_MAX:
                del self.parsed[next(iter(self.parsed))]
        if parsed.name == "frame" and viewer.last and parsed.before != viewer.last:
            viewer.gaps += 1
        if parsed.name == "private" or not parsed.after:
            return
        viewer.last = parsed.after
        if self.keep_frames:
            viewer.frames.append(parsed)
        if arrived and parsed.lines and len(self.samples) < SAMPLES_MAX:
            # One line by chance stands for its frame: the distribution over all lines, without counting each.
            sent = random.choice(parsed.lines)[1]
            self.samples.append(arrived - sent)
            self.read_samples.append(time.time() - sent)
            if viewer.arrived:
                self.intervals.append(arrived - viewer.arrived)
            viewer.arrived = arrived

    def _answered(self, viewer: Viewer, payload: bytes) -> None:
        digits = payload[2:].split(b"[", 1)[0]
        asked = self._asked.pop((viewer.index, int(digits)), None)
        answer = orjson.loads(payload[2 + len(digits) :])[0]
        reason = answer.get("reason") or answer.get("error", {}).get("code", "none")
        self.answers[reason] = self.answers.get(reason, 0) + 1
        if asked is not None:
            self.answer_seconds.setdefault(reason, []).append(time.time() - asked)

    def _lost(self, viewer: Viewer) -> None:
        if self.viewers.pop(viewer.fd, None) is None:
            return
        with contextlib.suppress(OSError, ValueError):
            self.epoll.unregister(viewer.fd)
        viewer.socket.close()
        viewer.phase = "lost"
        self.errors += 1

    # --- orders from the other process -----------------------------------------------------------------------------

    def join(self, count: int, per_second: float = 0.0, seconds_max: float = 120.0) -> int:
        """Opens `count` viewers more, as fast as it goes or at a rate. Returns how many are in."""
        first = max((viewer.index for viewer in self.viewers.values()), default=self._index_first - 1) + 1
        return self._bring([Viewer(first + number) for number in range(count)], per_second, seconds_max)

    def skip(self, count: int) -> None:
        """Leaves the first viewers to another crowd."""
        self._index_first = count

    def _bring(self, waiting: list[Viewer], per_second: float, seconds_max: float) -> int:
        start = time.monotonic()
        total, waiting = len(waiting), waiting[::-1]
        while time.monotonic() - start < seconds_max:
            under_way = sum(1 for viewer in self.viewers.values() if viewer.phase != "ready")
            allowed = CONNECTING_MAX - under_way
            if per_second:
                allowed = min(total, int((time.monotonic() - start) * per_second) + 1) - (total - len(waiting))
            for _ in range(min(len(waiting), max(0, allowed))):
                self._open(waiting.pop())
            if not waiting and all(viewer.phase == "ready" for viewer in self.viewers.values()):
                break  # in, or lost again
            self.turn(0.01)
        return sum(1 for viewer in self.viewers.values() if viewer.phase == "ready")

    def drop_all_and_return(self, seconds_max: float = 120.0) -> int:
        """Every socket is cut at once, all come back with epoch and offset."""
        gone = list(self.viewers.values())
        for viewer in gone:
            self.epoll.unregister(viewer.fd)
            # A reset, as a lost network is to the server: no goodbye.
            viewer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            viewer.socket.close()
        self.viewers.clear()
        return self._bring(gone, 0.0, seconds_max)

    def talk(self, seconds: float, per_second: float, lines: list[str | None] | None = None) -> dict[str, Any]:
        """Reads for `seconds` while viewers comment at a rate; `lines` are texts to choose from (default: chatter)."""
        speakers = [viewer for viewer in self.viewers.values() if not viewer.paused]
        start = time.monotonic()
        said = 0
        while (passed := time.monotonic() - start) < seconds:
            while said < passed * per_second:
                self._say(speakers[(self.sent * 7919) % len(speakers)], lines)
                said += 1
            self.turn(0.002 if per_second else 0.05)
        self.turn(TALK_SILENCE_SECONDS)
        return {"said": said}

    def _say(self, viewer: Viewer, lines: list[str | None] | None) -> None:
        if viewer.phase != "ready":
            return
        self.sent += 1
        viewer.acks += 1
        now = time.time()
        # None among the lines: a timed one, which tells how long it takes to everyone's screen.
        text = (random.choice(lines) if lines else None) or f"#{self.sent}@{now:.6f} 好漂亮喔這件我想看看背面"
        body = {"id": f"load-{os.getpid()}-{self.sent}", "text": text}
        self._asked[viewer.index, viewer.acks] = now
        self._send(viewer, b"42" + str(viewer.acks).encode() + orjson.dumps(["comment", body]))

    def unanswered(self) -> int:
        """Comments of viewers still connected that got no answer."""
        here = {viewer.index for viewer in self.viewers.values()}
        return sum(1 for index, _ in self._asked if index in here)

    def pause(self, share: float) -> int:
        """This share of the viewers stops reading."""
        chosen = list(self.viewers.values())[:: max(1, int(1 / share))]
        for viewer in chosen:
            viewer.paused = True
            self.epoll.unregister(viewer.fd)
        return len(chosen)

    def wake(self) -> int:
        """They read again."""
        count = 0
        for viewer in self.viewers.values():
            if viewer.paused:
                viewer.paused = False
                self.epoll.register(viewer.fd, select.EPOLLIN)
                count += 1
        return count

    def report(self) -> dict[str, Any]:
        """Counts since the last report, and percentiles of publish → receive in milliseconds (`_read`: until read)."""
        samples, self.samples = sorted(self.samples), []
        read_samples, self.read_samples = sorted(self.read_samples), []
        intervals, self.intervals = sorted(self.intervals), []
        answers = {
            reason: {"count": len(times), "p50_ms": quantile(times, 0.5), "p99_ms": quantile(times, 0.99)}
            for reason, times in ((reason, sorted(times)) for reason, times in self.answer_seconds.items())
        }
        shape = {
            "viewers": len(self.viewers),
            "received": self.received,
            "bytes": self.bytes,
            "errors": self.errors,
            "gaps": sum(viewer.gaps for viewer in self.viewers.values()),
            "samples": len(samples),
            "p50_ms": quantile(samples, 0.5),
            "p99_ms": quantile(samples, 0.99),
            "p99_ms_read": quantile(read_samples, 0.99),
            "interval_ms": quantile(intervals, 0.5),
            "answers": answers,
            "sent": self.sent,
        }
        self.received = self.bytes = self.errors = 0
        self.answer_seconds = {}
        return shape

    def answered(self, kinds: dict[str, list[str]]) -> dict[str, Any]:
        """Answers since the last report by kind, which is a list of reasons; the rest are `other`."""
        kind_of = {reason: kind for kind, reasons in kinds.items() for reason in reasons}
        times: dict[str, list[float]] = {kind: [] for kind in (*kinds, "other")}
        for reason, seconds in self.answer_seconds.items():
            times[kind_of.get(reason, "other")] += seconds
        return {
            kind: {"count": len(found), "p50_ms": quantile(found, 0.5), "p99_ms": quantile(found, 0.99)}
            for kind, found in ((kind, sorted(found)) for kind, found in times.items())
        }

    def sample(self, on: bool) -> None:
        """Frames are timed, of the viewers who are in now."""
        self._watch()
        self.sampling = on
        self.samples, self.read_samples, self.intervals = [], [], []
        for viewer in self.viewers.values():
            viewer.arrived = 0.0
            viewer.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, on)

    def keep(self, on: bool) -> None:
        self._watch()
        self.keep_frames = on

    def _watch(self) -> None:
        """Frames are looked into from now on: what came before is unknown, so no gap can be told from it."""
        if not (self.sampling or self.keep_frames):
            for viewer in self.viewers.values():
                viewer.gaps, viewer.last = 0, ""

    def check_order(self, log_lines: list[int]) -> dict[str, int]:
        """Compares what each viewer got with the order of the log: gaps, duplicates, reorderings over all viewers."""
        place = {number: index for index, number in enumerate(log_lines)}
        found = {"gaps": 0, "duplicates": 0, "reorderings": 0, "checked": 0}
        for viewer in self.viewers.values():
            places = [place[number] for frame in viewer.frames for number, _ in frame.lines if number in place]
            found["checked"] += 1
            found["duplicates"] += len(places) - len(set(places))
            found["reorderings"] += sum(1 for a, b in itertools.pairwise(places) if b < a)
            if places:
                found["gaps"] += max(places) - min(places) + 1 - len(set(places))
                found["gaps"] += len(log_lines) - 1 - max(places)
        return found

    def serve(self) -> None:
        while True:
            while not self.pipe.poll(0):
                self.turn(0.02)
            name, arguments = self.pipe.recv()
            if name == "close":
                for viewer in list(self.viewers.values()):
                    viewer.socket.close()
                self.pipe.send(None)
                return
            self.pipe.send(getattr(self, name)(*arguments))


def stamped(source: socket.socket) -> tuple[bytes, float]:
    """What waits at a socket, and when the last segment of it came (0.0 when the kernel did not say)."""
    data, control, _, _ = source.recvmsg(READ_BYTES, STAMP_SPACE)
    for level, kind, value in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("@qq", value[:16])
            return data, seconds + nanoseconds / 1e9
    return data, 0.0


def quantile(ordered: list[float], share: float) -> float | None:
    """In milliseconds, None without values."""
    if not ordered:
        return None
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


def crowd_process(pipe: Connection, core: int | None, address: tuple[str, int], options: dict[str, Any]) -> None:
    """Entry of the child process."""
    raise_descriptor_limit()
    if core is not None:
        os.sched_setaffinity(0, {core})
    Crowd(pipe, address, options).serve()
