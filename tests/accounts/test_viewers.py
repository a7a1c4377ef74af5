"""Viewers without accounts: a signed cookie or a page's pass, and nothing behind it."""

from __future__ import annotations

from livecommerce.accounts import viewers
from livecommerce.http.identity import Visit

SECRET = b"0" * 32
NOW_MS = 1_790_000_000_000
VISIT = Visit(viewers.new_viewer(), NOW_MS)


def test_a_viewer_cookie_is_believed_only_as_it_was_signed() -> None:
    cookie = viewers.sign(SECRET, VISIT)
    assert viewers.verify(SECRET, cookie) == VISIT
    assert viewers.verify(b"1" * 32, cookie) is None
    other = viewers.sign(SECRET, Visit(viewers.new_viewer(), NOW_MS))
    forged = f"{cookie.rsplit('.', 1)[0]}.{other.rsplit('.', 1)[1]}"
    older = cookie.replace(f".{NOW_MS // 1000}.", f".{NOW_MS // 1000 - 90_000}.")
    for bad in (forged, older, cookie[:-1], cookie + "x", "", None, "v2..", "v3" + cookie[2:], "v2.ÄÖ.1." + "A" * 43):
        assert viewers.verify(SECRET, bad) is None, bad


def test_a_cookie_of_before_times_were_kept_is_an_old_one() -> None:
    cookie = f"v1.anna.{viewers._signature(SECRET, 'viewer', 'anna')}"
    assert viewers.verify(SECRET, cookie) == Visit("anna", 0)
    assert viewers.verify(SECRET, cookie.replace("anna", "otto")) is None


def test_a_pass_is_good_for_one_show_and_one_evening_and_is_no_cookie() -> None:
    token = viewers.sign_pass(SECRET, VISIT, "demo")
    assert viewers.verify_pass(SECRET, token, "demo", NOW_MS + 1000) == VISIT
    assert viewers.verify_pass(SECRET, token, "other", NOW_MS) is None
    assert viewers.verify_pass(SECRET, token, "demo", NOW_MS + viewers.PASS_SECONDS * 1000 + 1001) is None
    assert viewers.verify_pass(b"1" * 32, token, "demo", NOW_MS) is None
    assert viewers.verify_pass(SECRET, viewers.sign(SECRET, VISIT), "demo", NOW_MS) is None
    assert viewers.verify(SECRET, token) is None


def test_viewer_ids_have_the_form_of_ids_and_do_not_repeat() -> None:
    found = {viewers.new_viewer() for _ in range(1000)}
    assert len(found) == 1000
    assert all(len(viewer) == 26 and viewer.isascii() and viewer == viewer.lower() for viewer in found)
