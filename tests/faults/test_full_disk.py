"""A disk without one free byte: what is read goes on, a backup to another disk is made, and everybody names the disk.

Each in a mount namespace of its own with a small file system in memory.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

IN_A_SMALL_DISK = """
mkdir -p small && mount -t tmpfs -o size=SIZE none small && exec "$@"
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


SERVE = """
import json, os, signal, socket, subprocess, sys, time, urllib.error, urllib.request
from pathlib import Path
from livecommerce.ops.ports import free_row

hog = Path("small/hog")
port = free_row("127.0.0.1", [socket.SOCK_STREAM], [0])
internal = free_row("127.0.0.1", [socket.SOCK_STREAM], [0, 100, 200])
settings = {"data_folder": "small", "http.host": "127.0.0.1", "http.port": port, "http.internal_port": internal,
            "media.host": "127.0.0.1", "media.port": 0, "log_format": "json"}
words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]

def serve():
    log = open("log", "ab")
    return subprocess.Popen([sys.executable, "-m", "livecommerce", "serve", *words], stdout=log, stderr=log)

def asked(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)

def said():
    return [line for line in Path("log").read_text().splitlines() if '"request"' not in line][-40:]

def until(what, found):
    limit = time.monotonic() + 40
    while not found():
        assert time.monotonic() < limit and server.poll() is None, (what, said())
        time.sleep(0.1)
    print("==", what, flush=True)

def page():
    return asked(f"http://127.0.0.1:{port}/login")[0] == 200

def ready(offset, wanted):
    status, said = asked(f"http://127.0.0.1:{internal + offset}/health/ready")
    return wanted(status, said)

def is_open():
    return all(ready(offset, lambda status, _: status == 200) for offset in (0, 100, 200))

def tells(status, said):
    return status in (200, 503)  # a worker that cannot read its database has nothing to do, and says so

def closed(status, said):
    return status == 503 and "storage_full" in said

def children():
    return {name: int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            for name in ("web", "worker", "relay") if name in Path(f"/proc/{pid}/cmdline").read_text().split(chr(0))}

server = serve()
try:
    until("first start", is_open)
    server.send_signal(signal.SIGTERM)
    server.wait()
    with hog.open("wb", buffering=0) as file:
        while os.statvfs("small").f_bavail * os.statvfs("small").f_frsize > LEFT:
            try:
                file.write(bytes(1 << 16) if LEFT else b"x" * 512)
            except OSError:
                break
    server = serve()
    until("pages with writes closed", page)
    until("told by number", lambda: ready(0, closed))
    until("all up", lambda: len(children()) == 3 and ready(100, lambda status, _: status == 200)
          and ready(200, tells))
    before = children()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until("all back", lambda: len(children()) == 3 and not set(children().values()) & set(before.values()) and page()
          and ready(100, lambda status, _: status == 200) and ready(200, tells))
    until("told again", lambda: ready(0, closed))
    hog.unlink()
    until("open again", is_open)
    until("noted", lambda: Path("small/running.json").exists())
finally:
    server.terminate()
    server.wait()
    hog.unlink(missing_ok=True)
print("guard", [line for line in Path("log").read_text().splitlines() if "disk guard" in line])
"""


def on_a_small_disk(script: str, folder: Path, size: str = "12m") -> str:
    """What `script` prints, in a folder whose `small` is its own file system."""
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", IN_A_SMALL_DISK.replace("SIZE", size), "sh",
         sys.executable, "-c", script],
        cwd=folder, env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=400, check=False,
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


@pytest.mark.parametrize("left_mib", [35, 0])
def test_a_server_starts_on_a_full_disk_and_opens_again_by_itself(tmp_path: Path, left_mib: int) -> None:
    """Its processes too, killed meanwhile: nothing that a start writes may stand between a page and its reader."""
    told = on_a_small_disk(SERVE.replace("LEFT", str(left_mib << 20)), tmp_path, "300m")
    assert "== told again" in told
    assert "== open again" in told
    assert "open -> closed" in told, "the log names the guard"
    assert f"{tmp_path}/small" in told, "and the folder, with what is free there"
    assert "MiB free" in told
    log = (tmp_path / "log").read_text()
    assert log.count("process died") == 3, "the killed alone"
