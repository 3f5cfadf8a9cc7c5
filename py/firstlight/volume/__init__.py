"""Whether the frames of a series make up a volume, and which; pure."""

from firstlight.volume.geometry import Assembly, VolumeGeometry, assemble

__all__ = ["Assembly", "VolumeGeometry", "assemble"]
