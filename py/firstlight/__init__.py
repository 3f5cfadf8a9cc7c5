"""Firstlight: medical images on screen as soon as enough bytes have arrived."""

__version__ = "0.1.0"
