"""A disk without one free byte: what is read goes on, a backup to another disk is made, and everybody names the disk.

Each in a mount namespace of its own with a small file system in memory.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

IN_A_SMALL_DISK = """
mkdir -p small && mount -t tmpfs -o size=12m none small && exec "$@"
"""

SHOP = """
import asyncio, atexit, sys, time
from pathlib import Path
from redis import Redis
from livecommerce import cli
from livecommerce.accounts.rows import Shop, ShopRepository
from livecommerce.accounts.secret import load_secret
from livecommerce.ops.redis_client import connect_store
from livecommerce.ops.valkey import EmbeddedValkey
from livecommerce.records.database import Database

async def make():
    database = await Database.open("", "small")
    await ShopRepository(database).put(Shop("shop", "Mei's", currency="TWD", locale="en"))
    await database.close()

def fill():
    with open("small/hog", "wb", buffering=0) as hog:
        try:
            while hog.write(b"x" * 1024):
                pass
        except OSError:
            pass

asyncio.run(make())
load_secret("", "small")
server = EmbeddedValkey(Path("small"))
atexit.register(server.kill)
"""

COMMANDS = (
    SHOP
    + """
server.start()
client = Redis.from_url(server.url)
client.config_set("maxmemory", 0)  # the file system is smaller than the guard's reserve
client.set("kept", "1")
client.set("gone", "1", px=50)  # expires while nothing can be written: that is a write too
server.kill()
fill()
for words in (["shop", "show"], ["stock", "verify"], ["backup", "copy"], ["doctor"],
              ["shop", "set", "--name", "other"]):
    print("==", *words, flush=True)
    code = cli.main([*words, "--set", "data_folder=small"])
    print("code", code, flush=True)
print("copied", (Path("copy") / "manifest.json").exists(), flush=True)
"""
)

SERVER = (
    SHOP
    + """
server.start()
client = Redis.from_url(server.url)
client.config_set("maxmemory", 0)
client.set("kept", "1")
client.set("gone", "1", px=50)
server.kill()
fill()
server.start()
time.sleep(0.3)  # the expiry of a key is its own, ten times a second
while client.exists("gone"):
    time.sleep(0.02)
print("kept", client.get("kept").decode(), "alive", server.exit_code is None)
async def read():
    room = await connect_store(server.url)
    print("read", (await room.get("kept")).decode(), server.answers())
    await room.aclose()

asyncio.run(read())  # a PING is refused by now
try:
    client.set("more", "1")
except Exception as error:
    print("refused", type(error).__name__)
Path("small/hog").unlink()
from livecommerce.ops.disk_guard import DiskGuard
DiskGuard(server.url, Path("small"), free=lambda _: 1 << 30).check()
print("again", client.set("more", "1"), client.config_get("appendfsync")["appendfsync"])
server.stop()
"""
)


def on_a_small_disk(script: str, folder: Path) -> str:
    """What `script` prints, in a folder whose `small` is its own file system."""
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", IN_A_SMALL_DISK, "sh",
         sys.executable, "-c", script],
        cwd=folder, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


def test_commands_that_only_read_work_on_a_disk_without_a_free_byte(tmp_path: Path) -> None:
    told = on_a_small_disk(COMMANDS, tmp_path)
    parts = {part.partition("\n")[0].strip(): part for part in told.split("== ")[1:]}
    assert "name      Mei's" in parts["shop show"]
    assert "No shop has a ledger yet" in parts["stock verify"], "Valkey was up and asked"
    assert "copy: secret" in parts["backup copy"]
    assert "code 0" in parts["backup copy"]
    assert "cannot store more" in parts["backup copy"], "of the trail, and what to do about it"
    assert "copied True" in told
    assert "disk              0.0 GiB free" in parts["doctor"]
    assert "LIVECOMMERCE_DATA_FOLDER" not in parts["doctor"], "another folder would be an empty shop"
    assert "6002 (storage_full)" in parts["shop set --name other"]
    assert "Free space on its disk" in parts["shop set --name other"]


def test_the_embedded_valkey_comes_up_closed_and_stays_up_without_room(tmp_path: Path) -> None:
    told = on_a_small_disk(SERVER, tmp_path)
    assert "kept 1 alive True" in told
    assert "read 1 True" in told
    assert "refused OutOfMemoryError" in told
    assert "again True always" in told
