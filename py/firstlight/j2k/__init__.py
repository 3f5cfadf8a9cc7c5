"""JPEG 2000 codestreams (ISO/IEC 15444-1, -15) as bytes: headers, packet lengths, level ends."""
