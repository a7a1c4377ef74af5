"""A refusal as an answer: its number in the body, what a client does next in the headers."""

from __future__ import annotations

import json

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from livecommerce.accounts.errors import TokenWrong
from livecommerce.errors import Busy, LiveCommerceError, NotFound
from livecommerce.http.answers import error_answer, is_known, json_answer
from livecommerce.http.errors import LoginNeeded


@pytest.mark.parametrize(
    ("error", "status", "retry_after", "challenge"),
    [
        (NotFound(), 404, None, None),
        (LoginNeeded(), 401, None, None),  # a page leads to the login; a browser's own password box would not help
        (TokenWrong(), 401, None, 'Bearer realm="livecommerce"'),
        (Busy(retry_after_ms=1), 503, "1", None),
        (Busy(retry_after_ms=1_001), 503, "2", None),  # never sooner than the milliseconds say
        (Busy(retry_after_ms=0), 503, "1", None),
    ],
)
def test_headers_of_a_refusal(
    error: LiveCommerceError, status: int, retry_after: str | None, challenge: str | None
) -> None:
    answer = error_answer(error)
    assert json.loads(answer.body) == {"error": error.as_dict()}
    assert (answer.status, answer.content_type) == (status, "application/json")
    assert (answer.headers.get("Retry-After"), answer.headers.get("WWW-Authenticate")) == (retry_after, challenge)


def test_an_answer_is_json_as_it_stands() -> None:
    answer = json_answer({"name": "玲玲", "of": (1, None)}, status=201)
    assert (answer.status, json.loads(answer.body)) == (201, {"name": "玲玲", "of": [1, None]})


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        (['"abc"'], True), (['W/"abc"'], True), (['"x", W/"abc"'], True), (['"x","abc" , "y"'], True), (["*"], True),
        (['"x"', '"abc"'], True),  # two header lines are one list
        ([], False), ([""], False), (['"ab"'], False), (['"x", "y"'], False), (['"*"'], False), (["abc"], False),
    ],
)  # fmt: skip
def test_if_none_match_is_compared_as_a_list_and_weakly(asked: list[str], known: bool) -> None:
    headers = CIMultiDict([("If-None-Match", one) for one in asked])
    assert is_known(make_mocked_request("GET", "/", headers), '"abc"') is known


def test_half_a_surrogate_pair_that_is_quoted_back_can_be_sent() -> None:
    shape = LiveCommerceError("there is no field '\ud800'", field="\udfff", left=3).as_dict()
    assert json.loads(json.dumps(shape, ensure_ascii=False).encode()) == shape
    assert (shape["details"]["left"], shape["details"]["field"]) == (3, "\\udfff")
