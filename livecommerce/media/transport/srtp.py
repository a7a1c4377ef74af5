"""SRTP contexts from exported DTLS keys: AES-128-GCM (RFC 7714) by `cryptography`, AES-CM/HMAC-SHA1-80 by libsrtp.

GCM is done here because the fan-out encrypts one shared plaintext for every viewer and needs neither a copy nor a
parse of it. The nonce rule is kept by the caller: one (SSRC, packet index) stands for one plaintext for ever.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pylibsrtp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from livecommerce.media.compiled import _sending

GCM_PROFILE = b"SRTP_AEAD_AES_128_GCM"
CM_PROFILE = b"SRTP_AES128_CM_SHA1_80"
# Preferred first; OpenSSL picks by the server's order.
PROFILES = (GCM_PROFILE, CM_PROFILE)
# Bytes of master key and master salt.
_SIZES = {GCM_PROFILE: (16, 12), CM_PROFILE: (16, 14)}
_LIBSRTP = {
    GCM_PROFILE: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    CM_PROFILE: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
# Labels of RFC 3711 section 4.3.2.
_RTP_KEY, _RTP_SALT, _RTCP_KEY, _RTCP_SALT = 0, 2, 3, 5
# 31 bits; the one above them says that the packet is encrypted (RFC 3711 section 3.4).
_RTCP_INDEX_MASK = 0x7FFFFFFF
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Keys:
    """Master keys of one DTLS association, each key and salt joined as libsrtp wants them."""

    profile: bytes
    inbound: bytes = field(repr=False)
    outbound: bytes = field(repr=False)

    @staticmethod
    def material_bytes(profile: bytes) -> int:
        """How much to export with the label EXTRACTOR-dtls_srtp (RFC 5764 section 4.2)."""
        return 2 * sum(_SIZES[profile])

    @staticmethod
    def from_material(profile: bytes, material: bytes, *, is_server: bool) -> Keys:
        """Splits client key, server key, client salt, server salt."""
        key, salt = _SIZES[profile]
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt : 2 * (key + salt)]
        return Keys(profile, client, server) if is_server else Keys(profile, server, client)


def derive(master: bytes, label: int, length: int) -> bytes:
    """AES-CM key derivation with rate 0 (RFC 3711 section 4.3.3); a 96-bit salt is padded (RFC 7714 section 11)."""
    vector = bytearray(master[16:].ljust(16, b"\0"))
    vector[7] ^= label
    encryptor = Cipher(algorithms.AES(master[:16]), modes.CTR(bytes(vector))).encryptor()
    return encryptor.update(bytes(length))


EncryptInto = Callable[[bytes, bytes, bytes, bytearray | memoryview], int]


class GcmOutbound:
    """What the fan-out needs of one viewer: `encrypt_into(nonce, payload, header, buffer)` and the salt as a number, or
    a key of the compiled core. Either is made when it is first asked for.

    The nonce of a packet is `salt XOR (SSRC << 48 | packet index)`, 12 bytes big-endian (RFC 7714 section 8.1).
    """

    __slots__ = ("_compiled", "_encrypt_into", "_key", "_rtcp_encrypt", "_rtcp_index", "_rtcp_salt", "salt")

    def __init__(self, master: bytes) -> None:
        self._key = derive(master, _RTP_KEY, 16)
        self._compiled: _sending.Key | None = None
        self._encrypt_into: EncryptInto | None = None
        self.salt = int.from_bytes(derive(master, _RTP_SALT, 12), "big")
        self._rtcp_encrypt = AESGCM(derive(master, _RTCP_KEY, 16)).encrypt
        self._rtcp_salt = int.from_bytes(derive(master, _RTCP_SALT, 12), "big")
        self._rtcp_index = 0

    @property
    def encrypt_into(self) -> EncryptInto:
        if self._encrypt_into is None:
            self._encrypt_into = AESGCM(self._key).encrypt_into
        return self._encrypt_into

    def compiled_key(self, core: ModuleType) -> _sending.Key:
        """The same key and salt for the compiled core."""
        if self._compiled is None:
            self._compiled = core.Key(self._key, self.salt.to_bytes(12, "big"))
        return self._compiled

    def seal_rtp(self, header: bytes, payload: bytes, ssrc: int, index: int) -> bytes:
        if self._compiled is not None:
            return self._compiled.seal(header, payload, ssrc, index)
        sealed = bytearray(len(payload) + TAG_BYTES)
        self.encrypt_into((self.salt ^ (ssrc << 48 | index)).to_bytes(12, "big"), payload, header, sealed)
        return header + sealed

    def seal_rtcp(self, packet: bytes) -> bytes:
        """SRTCP (RFC 7714 section 9): header in clear, the rest and tag encrypted, E flag and index at the end."""
        self._rtcp_index = self._rtcp_index + 1 & _RTCP_INDEX_MASK
        trailer = struct.pack("!I", 0x80000000 | self._rtcp_index)
        ssrc = int.from_bytes(packet[4:8], "big")
        nonce = (self._rtcp_salt ^ (ssrc << 48 | self._rtcp_index)).to_bytes(12, "big")
        return packet[:8] + self._rtcp_encrypt(nonce, packet[8:], packet[:8] + trailer) + trailer


class GcmRtcpInbound:
    """Opens SRTCP of one peer, each index once (a 64-wide replay window)."""

    __slots__ = ("_decrypt", "_highest", "_salt", "_seen")

    def __init__(self, master: bytes) -> None:
        self._decrypt = AESGCM(derive(master, _RTCP_KEY, 16)).decrypt
        self._salt = int.from_bytes(derive(master, _RTCP_SALT, 12), "big")
        self._highest = -1
        self._seen = 0

    def open(self, datagram: bytes) -> bytes | None:
        """The compound, or None where it is short, replayed, in clear or not authentic."""
        if len(datagram) < 8 + TAG_BYTES + 4:
            return None
        trailer = datagram[-4:]
        word = int.from_bytes(trailer, "big")
        index = word & _RTCP_INDEX_MASK
        behind = self._highest - index
        if not word & 0x80000000 or behind >= 64 or (behind >= 0 and self._seen >> behind & 1):
            return None
        nonce = (self._salt ^ (int.from_bytes(datagram[4:8], "big") << 48 | index)).to_bytes(12, "big")
        try:
            plain = self._decrypt(nonce, datagram[8:-4], datagram[:8] + trailer)
        except InvalidTag:
            return None
        if behind < 0:
            self._seen = (self._seen << min(-behind, 64) | 1) & 0xFFFFFFFFFFFFFFFF
            self._highest = index
        else:
            self._seen |= 1 << behind
        return datagram[:8] + plain


def libsrtp_session(profile: bytes, master: bytes, *, inbound: bool) -> Any:
    """A pylibsrtp session for any SSRC. Repeats are allowed outbound: a NACK is answered with the identical packet."""
    policy = pylibsrtp.Policy(
        key=master,
        ssrc_type=pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=_LIBSRTP[profile],
    )
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return pylibsrtp.Session(policy)


class LibsrtpInbound:
    """Opens SRTP and SRTCP of a host; faults are None, not exceptions."""

    __slots__ = ("_session",)

    def __init__(self, keys: Keys) -> None:
        self._session = libsrtp_session(keys.profile, keys.inbound, inbound=True)

    def open_rtp(self, datagram: bytes) -> bytes | None:
        try:
            plain: bytes = self._session.unprotect(datagram)
        except (pylibsrtp.Error, TypeError, ValueError):
            return None
        return plain

    def open(self, datagram: bytes) -> bytes | None:
        try:
            plain: bytes = self._session.unprotect_rtcp(datagram)
        except (pylibsrtp.Error, TypeError, ValueError):
            return None
        return plain


class CmOutbound:
    """AES-CM with HMAC-SHA1-80 for peers without GCM."""

    __slots__ = ("_session",)

    def __init__(self, keys: Keys) -> None:
        self._session = libsrtp_session(keys.profile, keys.outbound, inbound=False)

    def seal_rtp(self, header: bytes, payload: bytes, ssrc: int, index: int) -> bytes:
        sealed: bytes = self._session.protect(header + payload)
        return sealed

    def seal_rtcp(self, packet: bytes) -> bytes:
        sealed: bytes = self._session.protect_rtcp(packet)
        return sealed


Outbound = GcmOutbound | CmOutbound


def outbound(keys: Keys) -> Outbound:
    return GcmOutbound(keys.outbound) if keys.profile == GCM_PROFILE else CmOutbound(keys)


def rtcp_inbound(keys: Keys) -> GcmRtcpInbound | LibsrtpInbound:
    """For viewers, who send RTCP only."""
    return GcmRtcpInbound(keys.inbound) if keys.profile == GCM_PROFILE else LibsrtpInbound(keys)
