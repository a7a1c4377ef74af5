"""A hint a cause, the worst one first; and what the studio says of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from livecommerce.media.ingest.hints import CAUSES, Seen, hint_of
from livecommerce.settings import LOCALES
from tests.tidy.sources import ROOT

GOOD = Seen(
    picture="camera", is_closed=False, lacks_sets=False, is_renewed=False, is_mixed=False,
    is_reordered=False, loss=0.0, keyframe_wanted=None, keyframe_slow=None, clock_jumped=None,
    are_clocks_apart=False, is_baseline=True, has_sound=True, kbps=2_400, frames=30, limit_kbps=2_500,
)  # fmt: skip

ROWS: list[tuple[dict[str, Any], str]] = [
    ({}, "good"),
    ({"picture": "missing", "kbps": 0, "frames": 0}, "no_video"),
    ({"picture": "unasked", "kbps": 0, "frames": 0, "keyframe_wanted": 99.0}, "sound_alone"),
    ({"picture": "unasked", "loss": 0.06}, "packet_loss"),
    ({"is_closed": True, "lacks_sets": True, "is_reordered": True}, "no_parameter_sets"),
    ({"lacks_sets": True}, "good"),
    ({"is_closed": True, "is_renewed": True}, "intra_refresh"),
    ({"is_renewed": True, "keyframe_wanted": 3.0}, "intra_refresh"),
    ({"is_renewed": True, "keyframe_wanted": 0.5}, "good"),
    ({"is_mixed": True, "is_reordered": True}, "streams_mixed"),
    ({"is_reordered": True, "loss": 0.5}, "b_frames"),
    ({"loss": 0.06}, "packet_loss"),
    ({"loss": 0.05}, "good"),
    ({"is_closed": True}, "no_keyframes"),
    ({"keyframe_wanted": 12.5}, "no_keyframes"),
    ({"clock_jumped": 29.0, "keyframe_slow": 3.0}, "clock_jumped"),
    ({"clock_jumped": 31.0}, "good"),
    ({"are_clocks_apart": True, "has_sound": False}, "clocks_apart"),
    ({"keyframe_wanted": 4.0}, "keyframes_slow"),
    ({"keyframe_wanted": 0.5}, "good"),
    ({"keyframe_slow": 59.0}, "keyframes_slow"),
    ({"keyframe_slow": 61.0}, "good"),
    ({"kbps": 6_250}, "over_limit"),
    ({"kbps": 3_200}, "good"),
    ({"kbps": 6_250, "limit_kbps": 0}, "good"),
    ({"is_baseline": False}, "profile_not_baseline"),
    ({"has_sound": False, "is_baseline": False}, "no_audio"),
    ({"kbps": 299}, "bitrate_low"),
    ({"frames": 9}, "bitrate_low"),
]


@pytest.mark.parametrize(("seen", "hint"), ROWS, ids=str)
def test_the_hint_of_a_second(seen: dict[str, Any], hint: str) -> None:
    assert hint_of(GOOD._replace(**seen)) == hint


def test_every_cause_has_a_row_and_words_in_every_language() -> None:
    causes = {hint for hint, _ in CAUSES}
    assert causes <= {hint for _, hint in ROWS}
    for locale in LOCALES:
        words = json.loads((ROOT / f"web/locales/{locale}/studio.json").read_text("utf-8"))
        assert {f"studio.signal_{hint}" for hint in (*causes, "good", "starting")} <= words.keys(), locale
