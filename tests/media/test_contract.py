"""The few names of other projects we rely on that they do not promise. A release that moves them fails here."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import pylibsrtp
from aiortc import RTCRtpSender
from aiortc.codecs import get_encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from OpenSSL import SSL


def test_the_release_is_the_one_these_names_were_read_in() -> None:
    assert version("aiortc").split(".")[:2] == ["1", "16"]


def test_a_keyframe_request_reaches_the_sender_by_this_name() -> None:
    """The synthetic host replaces `_send_keyframe` of its sender."""
    assert list(inspect.signature(RTCRtpSender._send_keyframe).parameters) == ["self"]
    assert "self._send_keyframe()" in inspect.getsource(RTCRtpSender._handle_rtcp_packet)


def test_encoded_packets_pass_through_the_encoders() -> None:
    for encoder, mime in ((H264Encoder, "video/H264"), (OpusEncoder, "audio/opus")):
        codec = RTCRtpCodecParameters(mimeType=mime, clockRate=90_000, payloadType=102)
        assert isinstance(get_encoder(codec), encoder)
        assert list(inspect.signature(encoder.pack).parameters) == ["self", "packet"]


def test_openssl_has_what_a_handshake_needs() -> None:
    for name in (
        "bio_read",
        "bio_write",
        "do_handshake",
        "export_keying_material",
        "get_selected_srtp_profile",
        "set_ciphertext_mtu",
        "DTLSv1_get_timeout",
        "DTLSv1_handle_timeout",
    ):
        assert callable(getattr(SSL.Connection, name))
    assert callable(SSL.Context.set_tlsext_use_srtp)


def test_libsrtp_speaks_both_profiles() -> None:
    for profile in (
        pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    ):
        pylibsrtp.Policy(srtp_profile=profile)
