"""Records a broadcast in real time in a process of its own, so that a test can kill it. Prints a line a fragment."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from livecommerce.media.recording.recording import Recording
from livecommerce.media.recording.take_writer import Disk
from tests.media.broadcast import Sender, encode_pictures, encode_sound, interleaved
from tests.media.studio import Studio


def main(folder: str, seconds: float) -> None:
    pictures = encode_pictures(seconds, keys_at=set(range(0, 3_000, 30)))
    studio = Studio(Sender())
    recording = Recording(Path(folder), "demo", studio.wall_ms, lambda now: None, Disk(reserve_bytes=0))
    studio.packager.sinks.append(recording)
    begun = time.monotonic()
    print("begun", flush=True)
    written = 0
    for frame in interleaved(pictures, encode_sound(seconds)):
        time.sleep(max(0.0, begun + frame.seconds - time.monotonic()))
        studio.send([frame])
        if recording.writer.counters.written != written:
            written = recording.writer.counters.written
            print(f"{written} {frame.seconds:.3f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
