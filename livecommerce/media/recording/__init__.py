"""A show on disk: takes of fragmented MP4 written by a thread, a manifest, and all takes read as one movie.

In: whole pictures and sounds. Out: files below `<data>/recordings/<show>/`. A full or slow disk loses fragments, never
the show or an order; whatever a crash leaves is readable.
"""
