"""The replay room: a recorded show watched again, with its chat, products and chapters.

In: the recording's files, and the show's log while it runs. Out: `events.jsonl` beside the recording, and answers with
ranges of the movie and with what was said, on the recording's own time.
It may not show what not everyone could read, nor what was not on air; it never changes a show or a recording.
"""
