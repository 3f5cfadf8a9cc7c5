"""DICOM vocabulary: UIDs, image attributes, metadata of Part 10 files."""
