"""What the stock call wrote to a show's log, read. Pure.

An entry has the field `e`, msgpack of its events. In a `claims` event the claims of a rush are *runs* [first operation,
how many, first number, template]: plain reservations in a row, of which everything else stands in the batch itself, as
it was sent: fields `t` (templates) and `o` (operations). `events` makes the claims of it; nobody else knows the layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack

from livecommerce.stock.encoding import id_text
from livecommerce.stock.wire import ShowRun, run_template, unpack


def events(fields: Mapping[bytes, bytes]) -> list[dict[str, Any]]:
    """The events of an entry of a show's log, every claim a map; an entry without events gives none."""
    blob = fields.get(b"e")
    if blob is None:
        return []
    found: list[dict[str, Any]] = msgpack.unpackb(blob, raw=False, strict_map_key=False)
    if b"o" in fields:
        templates, columns = unpack(fields[b"t"]), unpack(fields[b"o"])
        for event in found:
            if event["t"] == "claims":
                event["claims"] = _claims(event, templates, columns)
    return found


def _claims(event: dict[str, Any], templates: list[bytes], columns: list[Any]) -> list[dict[str, Any]]:
    claims: list[dict[str, Any]] = []
    for told in event["claims"]:
        if isinstance(told, dict):
            claims.append(told)
        else:
            claims += _run(event["at"], told, templates, columns)
    return claims


def _run(at_ms: int, told: list[int], templates: list[bytes], columns: list[Any]) -> list[dict[str, Any]]:
    run = ShowRun(*told)
    shared = run_template(templates[run.template - 1])
    same = {
        "op": "reserve", "item": shared.item, "outcome": "reserved", "reserved": shared.quantity, "waiting": 0,
        "position": 0, "deadline": at_ms + shared.seconds * 1000, "state": "held", "quantity": shared.quantity,
        "price": shared.price, "currency": shared.currency, "text": shared.text, "source": shared.source,
    }  # fmt: skip
    _, ids, viewers = columns
    rows = slice(run.first - 1, run.first - 1 + run.length)
    return [
        {
            "id": id_text(raw), "viewer": viewer.decode(), "number": place, "reservation": f"{shared.item}#{place}",
            **same,
        }
        for place, (raw, viewer) in enumerate(zip(ids[rows], viewers[rows], strict=True), start=run.number)
    ]  # fmt: skip
