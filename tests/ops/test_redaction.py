"""Nothing that identifies or lets in a person reaches a log."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from livecommerce.ops import logs
from livecommerce.ops.redaction import HIDDEN, redact, redact_text, secret_name
from livecommerce.settings import SettingsError

PHONES = [
    # Taiwan
    "0912345678",
    "0912-345-678",
    "0912 345 678",
    "+886912345678",
    "+886 912 345 678",
    "+886-912-345-678",
    "+886 (0)912-345-678",
    "886912345678",
    "０９１２３４５６７８",
    # Thailand
    "0812345678",
    "081-234-5678",
    "+66812345678",
    "+66 81 234 5678",
    "0066812345678",
    # Vietnam
    "0321234567",
    "0901 234 567",
    "+84901234567",
    "+84 90 123 4567",
    # the Philippines
    "09171234567",
    "0917 123 4567",
    "+639171234567",
    "+63 917 123 4567",
]


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("around", ["{}", "電話{}謝謝", "call me at {}, please", "tel:{};", '{{"phone": "{}"}}'])
def test_phone_numbers_are_hidden(phone: str, around: str) -> None:
    cleaned = redact_text(around.format(phone))
    assert "345" not in cleaned
    assert "234" not in cleaned
    assert "３４５" not in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "entry 1732300000000-3 at 1732300000000",  # stream id, Unix milliseconds
        "A01紅M+1",
        "2026-11-22T09:42:52.091234Z",
        "listening on 127.0.0.1:8080, UDP 8189",
        "order 20261122000123 total 1290",
        "took 0.0912345678 s",
        "viewer 3f2a9c77-1b7e-4c2f",
        "supplied 500 = 480 + 12 + 8",
    ],
)
def test_figures_that_only_look_alike_stay(text: str) -> None:
    assert redact_text(text) == text


SECRETS = [
    ("Authorization: Bearer eyJhbGciOi.abc-def", "eyJhbGciOi"),
    ("authorization=Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    ("Cookie: lc_staff=s3cr3tvalue; lc_viewer=v.sig", "s3cr3tvalue"),
    ("Set-Cookie: lc_viewer=abcdef; HttpOnly", "abcdef"),
    ("sent lc_staff=zzz999 in the request", "zzz999"),
    ("login failed password=hunter2", "hunter2"),
    ('body was {"login": "amy", "password": "hunter2 and more"}', "hunter2"),
    ('{"token":"tok_123456"}', "tok_123456"),
    ("redis://default:hunter2@10.0.0.1:6379/0", "hunter2"),
    ("postgresql+asyncpg://shop:pa55@db/shop", "pa55"),
    ("postgresql://shop:p@ss:w/rd@127.0.0.1:5432/shop", "ss:w/rd"),
    ("is 'redis://u:a@b@host:6379/0'; expected", "b@host"),
    ("a=ice-pwd:asd88fgpdd777uzjYhagZg", "asd88fgpdd777uzjYhagZg"),
    ("turn secret: topsecretvalue", "topsecretvalue"),
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_secrets_in_text_are_hidden(text: str, secret: str) -> None:
    cleaned = redact_text(text)
    assert secret not in cleaned
    assert HIDDEN in cleaned


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "passwd",
        "passphrase",
        "secret",
        "turn_secret",
        "token",
        "ingest_token",
        "access_token_1",
        "cookie",
        "Set-Cookie",
        "Authorization",
        "authorisation",
        "credential",
        "api_key",
        "apikey",
        "private_key",
        "phone",
        "mobile_number",
        "ice_pwd",
        "otp",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize(
    "name", ["show", "viewer", "comment", "port", "pid", "login", "reason", "path", "passed", "item", "quantity"]
)
def test_names_that_are_no_secrets(name: str) -> None:
    assert not secret_name(name)


def test_nested_values_are_cleaned_and_bounded() -> None:
    deep: dict[str, object] = {"headers": {"Cookie": "x=y", "Host": "a"}, "list": ["0912345678", b"\x00\x01"]}
    assert redact(deep) == {"headers": {"Cookie": HIDDEN, "Host": "a"}, "list": ["[phone]", "<2 bytes>"]}
    endless: dict[str, object] = {}
    endless["self"] = endless
    assert "<dict>" in str(redact(endless))
    assert len(redact_text("x" * 100_000)) < 20_000


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(autouse=True)
def _restore_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_one_json_line_an_entry_with_context_and_process(stream: io.StringIO) -> None:
    logs.configure("web-1", "json", "info", stream)
    with structlog.contextvars.bound_contextvars(show="demo", by="k3j2"):
        logs.logger("livecommerce.test").info("claim answered", outcome="reserved", password="hunter2")
    entry = json.loads(stream.getvalue())
    assert entry["event"] == "claim answered"
    assert (entry["show"], entry["by"], entry["process"], entry["level"]) == ("demo", "k3j2", "web-1", "info")
    assert entry["password"] == HIDDEN
    assert entry["timestamp"].endswith("Z")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_libraries_and_tracebacks_pass_the_same_gate(stream: io.StringIO, log_format: str) -> None:
    logs.configure("worker", log_format, "info", stream)
    logging.getLogger("aiohttp.server").warning("bad request with Cookie: lc_staff=%s from %s", "abc999", "0912345678")
    try:
        raise ValueError("could not connect to redis://u:hunter2@host")
    except ValueError:
        logs.logger("x").exception("it failed", headers={"Authorization": "Bearer zzz111"})
    printed = stream.getvalue()
    for secret in ("abc999", "0912345678", "hunter2", "zzz111"):
        assert secret not in printed
    assert "ValueError" in printed


@pytest.mark.parametrize(("log_format", "log_level"), [("xml", "info"), ("json", "loud")])
def test_unknown_formats_and_levels_are_refused(log_format: str, log_level: str) -> None:
    with pytest.raises(SettingsError, match="allowed are"):
        logs.configure("web-0", log_format, log_level)
