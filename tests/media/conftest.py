"""Files that several tests of the room need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from livecommerce.media.transport.dtls import self_signed
from tests.site import make_site, relay, site, site_settings

__all__ = ["make_site", "relay", "site", "site_settings"]


@pytest.fixture(scope="session")
def certificate_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Paths of a P-256 certificate and its key: FFmpeg with GnuTLS makes P-224 ones, which OpenSSL refuses."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(self_signed(key, "encoder").public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(paths[0]), str(paths[1])


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop of the roles, whose timers, signals and transports differ from asyncio's own."""
    return {"uvloop": uvloop.new_event_loop}
