"""Viewers without accounts: a signed cookie, and nothing behind it."""

from __future__ import annotations

from livecommerce.accounts import viewers

SECRET = b"0" * 32


def test_a_viewer_cookie_is_believed_only_as_it_was_signed() -> None:
    viewer = viewers.new_viewer()
    cookie = viewers.sign(SECRET, viewer)
    assert viewers.verify(SECRET, cookie) == viewer
    assert viewers.verify(b"1" * 32, cookie) is None
    other = viewers.sign(SECRET, viewers.new_viewer())
    forged = f"{cookie.rsplit('.', 1)[0]}.{other.rsplit('.', 1)[1]}"
    for bad in (forged, cookie[:-1], cookie + "x", "", None, "v1..", "v2" + cookie[2:], "v1.ÄÖ." + "A" * 43):
        assert viewers.verify(SECRET, bad) is None, bad


def test_viewer_ids_have_the_form_of_ids_and_do_not_repeat() -> None:
    found = {viewers.new_viewer() for _ in range(1000)}
    assert len(found) == 1000
    assert all(len(viewer) == 26 and viewer.isascii() and viewer == viewer.lower() for viewer in found)
