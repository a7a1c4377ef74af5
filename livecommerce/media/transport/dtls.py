"""DTLS-SRTP handshakes (RFC 5764) off the event loop: OpenSSL in a worker thread, datagrams in, datagrams and keys out.

One certificate and one SSL context a process, because making them costs more than the handshake's own Python.
A handshake is driven by public pyOpenSSL names only. OpenSSL releases the GIL, so media keeps flowing meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import datetime
import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL, crypto

from livecommerce.http.shares import Shares
from livecommerce.media.transport.srtp import PROFILES, Keys
from livecommerce.media.wire.sdp import DIGESTS, Fingerprint

log = logging.getLogger(__name__)

_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"
)
# A datagram of ours stays under the smallest MTU seen on mobile tunnels.
DATAGRAM_BYTES_MAX = 1200
# A handshake has three flights of the peer; with retransmissions over a bad line 64 datagrams are plenty.
DATAGRAMS_IN_MAX = 64
# Datagrams that wait while OpenSSL works on earlier ones; DTLS repeats what is dropped.
INBOX_MAX = 16
# DTLS repeats a flight after 1, 2 and 4 s (RFC 6347 section 4.2.4.1), and the last one may be answered late.
HANDSHAKE_SECONDS_MAX = 12.0
# Of them, those of one network: a phone company's crowd takes some at once, hanging ones keep nobody else out.
HANDSHAKES_PER_NETWORK_MAX = 64
# Handshakes in flight before a join is told to come back: 256 at 2 ms each is half a second of one core.
HANDSHAKES_MAX = 256


def _digest(certificate: bytes, algorithm: str) -> str:
    """Of the certificate's DER as it came (RFC 8122 section 5): nothing of it is read. Some encoders send ones that no
    parser takes (OBS 30 with libdatachannel 0.21: X.509 "version 2"), and the fingerprint is all that counts."""
    return hashlib.new(DIGESTS[algorithm], certificate).digest().hex(":").upper()


def _in_words(error: SSL.Error) -> str:
    """What OpenSSL refused, said so that whoever runs the encoder can mend it."""
    if "wrong curve" in str(error):
        return "the encoder's certificate is on a curve that WebRTC does not use; give it one of P-256 (prime256v1)"
    return f"handshake: {error}"


def self_signed(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    """Good for a year, and from yesterday on: clocks of phones go wrong."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(tz=datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )


class Identity:
    """The certificate of this process and the context all its handshakes share."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self_signed(key, secrets.token_hex(8))
        self.fingerprint = Fingerprint("sha-256", _digest(certificate.public_bytes(Encoding.DER), "sha-256"))
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_options(SSL.OP_NO_TICKET)
        # The peer's certificate is self-signed; its fingerprint, which came over HTTPS, is what we check.
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_cipher_list(_CIPHERS)
        self.context.set_tlsext_use_srtp(b":".join(PROFILES))
        self.context.set_session_cache_mode(SSL.SESS_CACHE_OFF)


def datagrams(stream: bytes) -> list[bytes]:
    """Cuts a run of DTLS records (13-byte headers) into datagrams under the MTU, never inside a record."""
    found: list[bytes] = []
    current = b""
    position = 0
    while position + 13 <= len(stream):
        length = 13 + int.from_bytes(stream[position + 11 : position + 13], "big")
        record = stream[position : position + length]
        position += length
        if current and len(current) + len(record) > DATAGRAM_BYTES_MAX:
            found.append(current)
            current = b""
        current += record
    if current:
        found.append(current)
    return found


@dataclass(slots=True)
class Step:
    """What one turn of the handshake gave."""

    send: list[bytes] = field(default_factory=list)
    keys: Keys | None = None
    closed: bool = False
    failure: str = ""
    timeout_seconds: float | None = None


class Handshake:
    """One DTLS association. Not thread-safe: the pool runs one turn at a time."""

    def __init__(self, identity: Identity, expected: Sequence[Fingerprint], *, is_server: bool) -> None:
        self._expected = tuple(expected)
        self._is_server = is_server
        self._ssl = SSL.Connection(identity.context)
        self._ssl.set_ciphertext_mtu(DATAGRAM_BYTES_MAX)
        if is_server:
            self._ssl.set_accept_state()
        else:
            self._ssl.set_connect_state()
        self._done = False
        self._taken = 0

    def turn(self, received: Sequence[bytes], *, timed_out: bool = False) -> Step:
        """Feeds datagrams (or a timeout) and returns what to send, and the keys once.

        Runs in a worker thread; about 2 ms of OpenSSL in the turn that completes.
        """
        step = Step()
        try:
            if timed_out:
                self._ssl.DTLSv1_handle_timeout()
            if not received:
                self._advance(step)
            for datagram in received:
                self._taken += 1
                if not self._done and self._taken > DATAGRAMS_IN_MAX:
                    step.failure = "too many handshake datagrams"
                    break
                self._ssl.bio_write(datagram)
                self._advance(step)
        except SSL.Error as error:
            step.failure = _in_words(error)
        step.send.extend(datagrams(self._drain()))
        if not self._done and not step.failure:
            step.timeout_seconds = self._ssl.DTLSv1_get_timeout()
        return step

    def _advance(self, step: Step) -> None:
        if self._done:
            try:
                self._ssl.recv(DATAGRAM_BYTES_MAX)
            except SSL.ZeroReturnError:
                step.closed = True
            except SSL.Error:
                pass  # WantRead: a retransmitted flight, answered from the drain
            return
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return
        self._done = True
        step.failure = self._peer_fault()
        if not step.failure:
            profile = self._ssl.get_selected_srtp_profile()
            if profile not in PROFILES:
                step.failure = "no common SRTP profile"
                return
            material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", Keys.material_bytes(profile))
            step.keys = Keys.from_material(profile, material, is_server=self._is_server)

    def _peer_fault(self) -> str:
        """Every fingerprint whose digest we know must match (RFC 8122 section 6.2)."""
        sent = self._ssl.get_peer_certificate()
        if sent is None:
            return "the peer sent no certificate"
        certificate = crypto.dump_certificate(crypto.FILETYPE_ASN1, sent)
        known = [each for each in self._expected if each.algorithm in DIGESTS]
        if not known or any(_digest(certificate, each.algorithm) != each.value for each in known):
            return "the peer's certificate is not the one in its SDP"
        return ""

    def _drain(self) -> bytes:
        drained = b""
        while len(drained) < 65_536:  # a flight is under 3 KiB; the bound only stops a loop
            try:
                drained += self._ssl.bio_read(16_384)
            except SSL.Error:
                break
        return drained

    def close(self) -> list[bytes]:
        """A close_notify for the peer."""
        try:
            self._ssl.shutdown()
        except SSL.Error:
            return []
        return datagrams(self._drain())


class Association:
    """Runs one handshake in the pool and calls back on the loop.

    Args:
        send: sends a datagram to the peer's verified address.
        on_keys: once, when the handshake is complete.
        on_closed: once, with the reason, when it failed or the peer closed.
    """

    __slots__ = (
        "_busy",
        "_closed",
        "_deadline",
        "_done",
        "_handshake",
        "_inbox",
        "_on_closed",
        "_on_keys",
        "_pool",
        "_send",
        "_timer",
        "network",
    )

    def __init__(
        self,
        pool: HandshakePool,
        handshake: Handshake,
        send: Callable[[bytes], None],
        on_keys: Callable[[Keys], None],
        on_closed: Callable[[str], None],
    ) -> None:
        self._pool = pool
        self._handshake = handshake
        self._send = send
        self._on_keys = on_keys
        self._on_closed = on_closed
        self.network = ""  # whose share of the pool it takes; "" is nobody's
        self._inbox: list[bytes] = []
        self._busy = self._closed = self._done = False
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = asyncio.get_running_loop().time() + HANDSHAKE_SECONDS_MAX

    def feed(self, datagram: bytes) -> None:
        """Takes a datagram; beyond 16 waiting ones it is dropped (DTLS retransmits)."""
        if self._closed or len(self._inbox) >= INBOX_MAX:
            return
        self._inbox.append(datagram)
        self._turn(timed_out=False)

    def start(self) -> None:
        """The client's first flight."""
        self._turn(timed_out=False, is_first=True)

    def close(self) -> None:
        """Frees the association; a finished one says goodbye."""
        if self._closed:
            return
        self._finish()
        if self._done and not self._busy:
            for datagram in self._handshake.close():
                self._send(datagram)

    def release(self) -> None:
        """Frees OpenSSL's state without a goodbye, once retransmitted flights need no answer any more."""
        self._finish()
        self._pool.note_release()

    def _finish(self) -> None:
        self._closed = True
        self._inbox.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._done:
            self._pool.ended(self)

    def _turn(self, *, timed_out: bool, is_first: bool = False) -> None:
        if self._busy or self._closed or not (self._inbox or timed_out or is_first):
            return
        self._busy = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        received, self._inbox = self._inbox, []
        future = self._pool.run(self._handshake, received, timed_out)
        future.add_done_callback(self._stepped)

    def _stepped(self, future: asyncio.Future[Step]) -> None:
        self._busy = False
        if self._closed or future.cancelled():
            return
        error = future.exception()
        if error is not None:
            log.error("dtls turn failed: %r", error)
            self._finish()
            self._on_closed("internal")
            return
        step = future.result()
        for datagram in step.send:
            self._send(datagram)
        if step.keys is not None and not step.failure:
            self._done = True
            self._pool.ended(self)
            self._on_keys(step.keys)
        if step.failure or step.closed:
            self._finish()
            self._on_closed(step.failure or "closed by the peer")
            return
        loop = asyncio.get_running_loop()
        if not self._done and loop.time() > self._deadline:
            self._finish()
            self._on_closed("the handshake took too long")
            return
        if step.timeout_seconds is not None:
            self._timer = loop.call_later(max(0.01, step.timeout_seconds), self._expired)
        self._turn(timed_out=False)

    def _expired(self) -> None:
        self._timer = None
        self._turn(timed_out=True)


# Associations released before the allocator is asked to give their memory back (80 KiB each); fewer once nobody has
# joined or been released for this many seconds.
TRIM_AFTER = 64
TRIM_QUIET_SECONDS = 5


def _trim() -> None:
    """Gives freed heap back to the system where the C library can (glibc); elsewhere it stays for the next joins."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class HandshakePool:
    """One thread for all handshakes of a process: joins queue behind each other, media behind none of them."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.running: set[Association] = set()
        self._shares = Shares(HANDSHAKES_PER_NETWORK_MAX)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dtls")
        self._released = self._quiet_seconds = 0

    @property
    def is_full(self) -> bool:
        return len(self.running) >= HANDSHAKES_MAX

    def associate(
        self,
        expected: Sequence[Fingerprint],
        *,
        is_server: bool,
        send: Callable[[bytes], None],
        on_keys: Callable[[Keys], None],
        on_closed: Callable[[str], None],
    ) -> Association:
        """A new association; a server waits for the peer's first flight, a client sends its own."""
        handshake = Handshake(self.identity, expected, is_server=is_server)
        association = Association(self, handshake, send, on_keys, on_closed)
        self.running.add(association)
        if not is_server:
            association.start()
        return association

    def has_room(self, network: str) -> bool:
        """Whether a network (see `http.addresses.network_of`) has less than its share of handshakes in flight."""
        return not self._shares.is_full(network)

    def charge(self, association: Association, network: str) -> None:
        """The association counts in this network's share until its handshake ends."""
        association.network = network
        self._shares.take(network)

    def ended(self, association: Association) -> None:
        """The handshake is done or given up; its place is free. Idempotent."""
        if association in self.running:
            self.running.discard(association)
            if association.network:
                self._shares.give_back(association.network)

    def note_release(self) -> None:
        """An association was freed; now and then, when nobody is joining, the memory goes back."""
        self._released += 1
        self._quiet_seconds = 0

    def tidy(self) -> None:
        """Called once a second."""
        self._quiet_seconds = 0 if self.running else self._quiet_seconds + 1
        is_quiet = self._quiet_seconds > TRIM_QUIET_SECONDS
        if not self.running and (self._released >= TRIM_AFTER or (self._released and is_quiet)):
            self._released = 0
            self._executor.submit(_trim)

    def run(self, handshake: Handshake, received: Sequence[bytes], timed_out: bool) -> asyncio.Future[Step]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._executor, lambda: handshake.turn(received, timed_out=timed_out))

    def close(self) -> None:
        for association in list(self.running):
            association.close()
        self._executor.shutdown(wait=False, cancel_futures=True)
