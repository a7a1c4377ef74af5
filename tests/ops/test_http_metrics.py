"""Requests are counted by pattern, so that no label grows with what strangers ask for."""

from __future__ import annotations

from aiohttp import web
from prometheus_client import REGISTRY

from livecommerce.ops.http_metrics import count_requests


def counted(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("livecommerce_http_requests_total", labels) or 0.0


async def test_patterns_methods_and_statuses(aiohttp_client) -> None:
    async def show(request: web.Request) -> web.Response:
        if request.match_info["show"] == "broken":
            raise RuntimeError("boom")
        return web.Response(text="live")

    app = web.Application(middlewares=[count_requests])
    app.router.add_get("/probe/{show}", show)
    client = await aiohttp_client(app)
    wanted = [
        ("/probe/a", "GET", "/probe/{show}", "200"),
        ("/probe/b", "GET", "/probe/{show}", "200"),
        ("/probe/broken", "GET", "/probe/{show}", "500"),
        ("/probe/a", "DELETE", "none", "405"),
        ("/wp-login.php", "GET", "none", "404"),
        ("/etc/passwd", "REPORT", "none", "404"),
    ]
    before = {row: counted("other" if row[1] == "REPORT" else row[1], *row[2:]) for row in wanted}
    for path, method, _, status in wanted:
        answer = await client.request(method, path)
        assert str(answer.status) == status
    assert counted("GET", "/probe/{show}", "200") == before[wanted[0]] + 2
    assert counted("GET", "/probe/{show}", "500") == before[wanted[2]] + 1
    assert counted("DELETE", "none", "405") == before[wanted[3]] + 1
    assert counted("other", "none", "404") == before[wanted[5]] + 1
