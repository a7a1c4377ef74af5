"""The Lua library: one text of all files in their order, named for what it says."""

from __future__ import annotations

from livecommerce.stock.library import FOLDER, assemble, library
from tests.stock.servers import library_with


def test_the_library_is_named_for_its_text() -> None:
    name, text = library()
    assert text.startswith(f"#!lua name={name}\n".encode())
    assert library_with(("local WAIT_CHUNK = 64", "local WAIT_CHUNK = 65"))[0] != name


def test_both_functions_carry_the_name() -> None:
    name, text = assemble(['redis.register_function("FUNCTION_NAME", run)', 'f("FUNCTION_NAME_fence", fence)'])
    assert f'("{name}", run)'.encode() in text
    assert f'("{name}_fence", fence)'.encode() in text


def test_files_are_joined_in_the_order_of_their_numbers() -> None:
    """A Lua local is known only below where it is declared."""
    text = library()[1].decode()
    places = [text.index(file.read_text("utf-8").splitlines()[0]) for file in sorted(FOLDER.glob("*.lua"))]
    assert places == sorted(places)
