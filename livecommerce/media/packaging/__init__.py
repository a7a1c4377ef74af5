"""Whole pictures and sounds on one clock: what recording and HLS are made of.

In: canonical packets, by `Stream.taps`. Out: `TimedUnit`s and `TimedFrame`s to sinks, and boxes of fragmented MP4.
It never decodes, and a fault in here never reaches viewers on WebRTC.
"""
