"""A live-shopping server. See docs/architecture.md."""

__version__ = "0.1.0"
