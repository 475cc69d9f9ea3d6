# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry on localhost that is there and always says the same (OCI distribution): ``python3 registry.py STATUS``.

containerd speaks plain HTTP to localhost, so this is a real answer to a real pull.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CODES = {401: "UNAUTHORIZED", 404: "MANIFEST_UNKNOWN", 429: "TOOMANYREQUESTS"}


class Refusal(BaseHTTPRequestHandler):
    """One answer to everything."""

    def do_GET(self) -> None:
        """The registry's error document."""
        status = int(sys.argv[1])
        body = f'{{"errors": [{{"code": "{CODES[status]}", "message": "said the lab"}}]}}'.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        """The same without the document."""
        self.do_GET()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 5000), Refusal).serve_forever()
