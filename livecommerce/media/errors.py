"""Refusals of this room: the relay and its door."""

from __future__ import annotations

from livecommerce.errors import BadInput, Conflict, NotFound, Unavailable

BLOCK = range(120, 140)  # of numbers, in each family; docs/errors.md
EARLIER = frozenset({1010, 3004, 4001})  # given before rooms had blocks; numbers are for good


class SdpRefused(BadInput):
    number, code = 1010, "sdp_refused"
    reason = "The SDP offer cannot be used. Offer H.264 (baseline, main or high) and Opus, bundled."


class StreamUnknown(NotFound):
    number, code = 3004, "stream_unknown"
    reason = "The host is not live yet."


class EntityTagMissing(BadInput):
    number, code, http_status = 1120, "entity_tag_missing", 428
    reason = "Send If-Match with the ETag of the session."


class EntityTagStale(BadInput):
    number, code, http_status = 1121, "entity_tag_stale", 412
    reason = "The session has another ETag by now; If-Match names an older one."


class FragmentExpected(BadInput):
    number, code, http_status = 1122, "fragment_expected", 415
    reason = "Send application/trickle-ice-sdpfrag."


class ShowOver(NotFound):
    number, code, http_status = 3120, "show_over", 410
    reason = "The show has ended; there is nothing to watch or to publish any more."


class HostAlreadyLive(Conflict):
    number, code = 4001, "host_already_live"
    reason = "Another host is already live on this show. End that stream first."


class PictureClosed(Unavailable):
    number, code = 6120, "picture_closed"
    reason = (
        "Nobody can enter the picture at the moment: the host's encoder sends no keyframe. "
        "The host's studio says what to change; try again in some seconds."
    )
