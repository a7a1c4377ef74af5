"""The folder `web/`: its files, texts and templates, kept once a process; and the route of its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2
from aiohttp import web

import livecommerce
from livecommerce.api.assets import Assets
from livecommerce.api.locales import Texts
from livecommerce.http.answers import is_known


def find_web_folder() -> Path:
    """The pages: inside the installed package, else beside it in a checkout."""
    package = Path(livecommerce.__file__).parent
    installed = package / "_web"
    return installed if installed.is_dir() else package.parent / "web"


@dataclass(frozen=True)
class WebFolder:
    """Attributes:
    locale: of a page whose visitor asked for none of ours.
    """

    assets: Assets
    texts: Texts
    templates: jinja2.Environment
    locale: str

    @classmethod
    def of(cls, folder: Path, locale: str) -> WebFolder:
        templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(folder),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            enable_async=False,
        )
        # Found by their folder, as the server's own are: a new file is a new kind.
        files = sorted((folder / "shared/kinds").glob("*.js"))
        templates.globals["kinds"] = [f"shared/kinds/{file.name}" for file in files]
        return cls(Assets(folder), Texts(folder / "locales"), templates, locale)


WEB_FOLDER: web.AppKey[WebFolder] = web.AppKey("livecommerce.api", WebFolder)


async def get_static(request: web.Request) -> web.Response:
    asset = request.app[WEB_FOLDER].assets.load(request.match_info["path"])
    etag = f'"{asset.digest}"'
    is_exact = request.query.get("v") == asset.digest
    headers = {
        "ETag": etag,
        "Cache-Control": "public, max-age=31536000, immutable" if is_exact else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if is_known(request, etag):
        return web.Response(status=304, headers=headers)
    body = asset.body
    if asset.gzipped is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = asset.gzipped
        headers["Content-Encoding"] = "gzip"
    charset = "utf-8" if asset.content_type.startswith("text/") else None
    return web.Response(body=body, headers=headers, content_type=asset.content_type, charset=charset)
