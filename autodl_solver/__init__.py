"""An any-time learning solver: raw data of any kind and a time budget in, better and better class scores out."""

__version__ = "0.1.0"
