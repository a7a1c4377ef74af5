"""What the access log shows of an address."""

from __future__ import annotations

from aiohttp.test_utils import make_mocked_request

from livecommerce.api.access_log import logged_path


def test_the_access_log_has_no_query_and_no_session() -> None:
    for asked, logged in (
        ("/live/demo?token=abc", "/live/demo"),
        ("/whep/demo/Zm9vYmFy", "/whep/demo/*"),
        ("/whip/demo", "/whip/demo"),
        ("/" + "x" * 500, "/" + "x" * 119),
    ):
        assert logged_path(make_mocked_request("GET", asked)) == logged
