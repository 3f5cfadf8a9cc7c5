"""DICOMweb (PS3.18) as text and bytes: URLs, Accept headers, multipart bodies, JSON metadata."""
