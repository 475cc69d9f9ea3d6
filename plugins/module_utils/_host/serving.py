# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A kubelet that asks the cluster for a new serving certificate: what it has is put aside, and the switch is turned on.

The configuration is never away: a copy is kept, and the file is replaced as a whole. A kubelet that is restarted in between
asks for a certificate, and serves with one of its own making until it has it.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import typing as t
from collections.abc import Callable

from .._diagnosis.node import Profile
from .aside import Aside
from .durable import write
from .errors import EXPECTED, words
from .files import names, read, read_or_none

KEPT: t.Final = "/var/lib/outward-kubelet/serving-certificate"
COPY: t.Final = "config.yaml"
CURRENT: t.Final = "kubelet-server-current.pem"
SWITCH: t.Final = "serverTLSBootstrap: true"
PORT, SECONDS = 10250, 5.0


class Serving:
    """The :class:`~.task.Change` of one node; *switch*: turn it on. *root* is put before every path, for tests."""

    def __init__(self, profile: Profile, switch: bool, root: str = "") -> None:
        self._config, self._pki = root + profile.config, root + profile.pki_dir
        self._switch, self._kept = switch, root + KEPT
        self._aside = Aside(self._kept, self._present, self.arrived)

    def make(self) -> t.Optional[str]:
        """Put aside what is there, and turn it on."""
        return self._tried(self._change)

    def keep(self) -> t.Optional[str]:
        """It is in use: what was there before is not needed any more."""
        return self._tried(self._aside.forget)

    def undo(self) -> t.Optional[str]:
        """As it was before."""
        return self._tried(self._restore) or self._aside.told()

    def arrived(self) -> bool:
        """There is one of the cluster."""
        return os.path.exists(f"{self._pki}/{CURRENT}")

    def _change(self) -> None:
        self._aside.put()
        if self._switch:
            text, copy = read(self._config), f"{self._kept}/{COPY}"
            before = read_or_none(copy)
            if before is not None and text not in (before, switched_on(before)):  # somebody has changed it since
                self._aside.lay_beside(copy)
            if not os.path.exists(copy):
                write(copy, text, 0o600)
            write(self._config, switched_on(text), 0o644)

    def _restore(self) -> None:
        copy = read_or_none(f"{self._kept}/{COPY}")
        if copy is not None:
            write(self._config, copy, 0o644)
        self._aside.back()
        self._aside.clear()

    def _tried(self, deed: Callable[[], None]) -> t.Optional[str]:
        try:
            deed()
        except (*EXPECTED, ValueError) as error:
            return f"{self._kept}: {words(error)}"
        return None

    def _present(self) -> list[str]:
        return [f"{self._pki}/{name}" for name in names(self._pki) if name.startswith("kubelet-server-")]


def switched_on(text: str) -> str:
    """A kubelet's configuration with serverTLSBootstrap on; a key that is there twice would be refused by the kubelet."""
    found, count = re.subn(r"^serverTLSBootstrap:.*$", SWITCH, text, flags=re.MULTILINE)
    return found if count else f"{text.rstrip()}\n{SWITCH}\n"


def presented(port: int = PORT) -> t.Optional[bytes]:
    """The certificate (DER) that the kubelet shows to whoever asks; None: it shows none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is compared, and nothing is sent
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS) as plain, context.wrap_socket(plain) as connection:
            return connection.getpeercert(binary_form=True)
    except OSError:  # ssl.SSLError is one
        return None
