"""Token buckets: all of one question give, or none does."""

from __future__ import annotations

from redis.asyncio import Redis

from livecommerce.accounts.rate_limit import Bucket, RateLimit


async def test_buckets_of_one_question_give_together_or_not_at_all(valkey: Redis) -> None:
    limit = RateLimit(valkey)
    small, large = Bucket("small", 2, 60.0), Bucket("large", 100, 0.0001)
    assert [await limit.take([small, large]) for _ in range(2)] == [0, 0]
    wait = await limit.take([small, large])
    assert 0 < wait <= 1000
    assert int(await valkey.hget("lc:{rate}:large", "t")) < 98_500, "the refused question took nothing"
    await limit.take([small, large], cost=-2.0)
    assert await valkey.exists("lc:{rate}:small", "lc:{rate}:large") <= 1, "full buckets are forgotten"
    assert await limit.take([small]) == 0
    assert 0 < await valkey.pttl("lc:{rate}:small") <= 3000


async def test_a_refused_question_leaves_the_cluster_of_keys_alone(valkey: Redis) -> None:
    limit = RateLimit(valkey)
    assert await limit.take([Bucket("never", 1, 0.001)], cost=5.0) > 0
    assert await valkey.dbsize() == 0
