"""DICOM in; a tree that any static host can serve out (README.md beside this file)."""
