"""What the stock call wrote to a show's log, read. Pure.

An entry has the field `e`, msgpack of its events. In a `claims` event the claims of a rush are *runs* [first operation,
how many, first number, template]: plain reservations in a row, of which everything else stands in the batch itself, as
it was sent: fields `t` (templates) and `o` (operations). `events` makes the claims of it; nobody else knows the layout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack

from livecommerce.stock.encoding import id_text, unpack


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


def _run(at_ms: int, run: list[int], templates: list[bytes], columns: list[Any]) -> list[dict[str, Any]]:
    first, length, number, which = run
    template: list[Any] = unpack(templates[which - 1])
    name, quantity, _, offer = template[16]
    item = name.decode()
    _, price, currency, text, source = unpack(offer)
    same = {
        "op": "reserve", "item": item, "outcome": "reserved", "reserved": quantity, "waiting": 0, "position": 0,
        "deadline": at_ms + template[8] * 1000, "state": "held", "quantity": quantity, "price": price,
        "currency": currency.decode(), "text": text.decode(), "source": source.decode(),
    }  # fmt: skip
    rows = zip(columns[1][first - 1 : first - 1 + length], columns[2][first - 1 : first - 1 + length], strict=True)
    return [
        {
            "id": id_text(raw), "viewer": viewer.decode(), "number": place, "reservation": f"{item}#{place}", **same,
        }
        for place, (raw, viewer) in enumerate(rows, start=number)
    ]  # fmt: skip
