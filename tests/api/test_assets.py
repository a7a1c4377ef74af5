"""Files of `web/`: under their hash for good, compressed, none but those meant for browsers."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from livecommerce.api.assets import Assets
from livecommerce.api.web_folder import find_web_folder
from livecommerce.errors import NotFound
from tests.site import Site


async def test_a_file_under_its_hash_is_kept_for_good(site: Site) -> None:
    assets = Assets(find_web_folder())
    address = assets.address("shared/base.css")
    plain = {"Accept-Encoding": "identity"}
    answer = await site.client.get(address, headers=plain)
    body = await answer.read()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content_type == "text/css"
    assert body == (find_web_folder() / "shared/base.css").read_bytes()
    for other in ("/static/shared/base.css", "/static/shared/base.css?v=000000000000"):
        answer = await site.client.get(other, headers=plain)
        assert answer.headers["Cache-Control"] == "no-cache"
        unchanged = await site.client.get(other, headers={"If-None-Match": answer.headers["ETag"]})
        assert (unchanged.status, await unchanged.read()) == (304, b"")


async def test_files_travel_compressed(site: Site) -> None:
    answer = await site.client.get(
        "/static/shared/base.css", headers={"Accept-Encoding": "gzip"}, auto_decompress=False
    )
    packed = await answer.read()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed) == (find_web_folder() / "shared/base.css").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "watch/index.html", "shared/head.html", "../pyproject.toml", "..%2fpyproject.toml", "%2e%2e/pyproject.toml",
        "shared/../../pyproject.toml", "nothing.js", "shared", "shared/", ".hidden", "a//b.js", "%00", "x" * 3000,
    ],
)  # fmt: skip
async def test_what_is_no_file_for_browsers_is_not_there(site: Site, path: str) -> None:
    answer = await site.client.get(f"/static/{path}")
    assert answer.status == 404
    assert "pyproject" not in await answer.text()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    web = tmp_path / "web"
    web.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (web / "inside.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(NotFound):
        Assets(web).load("inside.txt")


def test_a_changed_file_gets_another_hash(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    file.write_text("export const a = 1;")
    assets = Assets(tmp_path, fresh_seconds=0.0)
    first = assets.address("a.js")
    file.write_text("export const a = 22;")
    assert assets.address("a.js") != first
