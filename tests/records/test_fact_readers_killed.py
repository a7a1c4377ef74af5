"""`kill -9` of a reader again and again, and two of one name at once: each fact is counted once."""

from __future__ import annotations

from livecommerce.records.database import Database
from tests.records.killed_reader import kill_reader
from tests.records.tally import start_tally, strike, tallied

FACTS = 1_200


async def test_a_killed_reader_counts_each_fact_once(database: Database, database_url: str) -> None:
    await start_tally(database)
    for start in range(1, FACTS + 1, 100):
        await strike(database, *range(start, start + 100))
    await kill_reader(database_url, "tests.records.tally:TALLY", "tally", rounds=4, seed=10)
    assert await tallied(database) == [("lingling", number, number) for number in range(1, FACTS + 1)]
