"""The nginx configuration that makes a folder fit; docs/server.md shows the same text."""

from __future__ import annotations

from typing import Final

NGINX_RECIPE: Final = """\
location /images/ {
    root /srv;                    # files lie in /srv/images/
    types {
        image/jphc        jph jhc j2c;
        application/dicom dcm;
        application/json  json;
    }
    default_type application/octet-stream;

    etag on;
    gzip on;                      # of JSON alone: it is read whole, images in ranges
    gzip_types application/json;

    add_header Access-Control-Allow-Origin * always;
    add_header Access-Control-Expose-Headers
               "Content-Range, ETag, Accept-Ranges, Content-Encoding" always;
    add_header Timing-Allow-Origin * always;

    if ($request_method = OPTIONS) {
        add_header Access-Control-Allow-Origin *;
        add_header Access-Control-Allow-Methods "GET, HEAD, OPTIONS";
        add_header Access-Control-Allow-Headers "Authorization, If-Range, Range";
        add_header Access-Control-Max-Age 7200;
        return 204;
    }
}
"""
