"""The trail of who changed the shop."""

from __future__ import annotations

from livecommerce.records.audit import AuditEntry, AuditRepository
from livecommerce.records.database import Database


async def test_the_audit_trail_reads_backwards(database: Database) -> None:
    audit = AuditRepository(database)
    for number in range(3):
        await audit.add(AuditEntry("lingling", number, "mei", "product_removed", f"A0{number}", {"n": number}))
    trail = await audit.newest("lingling")
    assert [entry.subject for entry in trail] == ["A02", "A01", "A00"]
    assert [entry.subject for entry in await audit.newest("lingling", before=trail[0].id)] == [
        "A01",
        "A00",
    ]
