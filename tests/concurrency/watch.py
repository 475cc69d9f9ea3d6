# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow the lock and the kubelets from the outside, while others are at work."""

from __future__ import annotations

import json
import subprocess
import threading
import typing as t
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from tests.chaos.outside import LEASE
from tests.lab._kubectl import Object
from tests.lab._lab import Lab
from tests.lab._model import LabError, parse_host

from .verdict import Change, Sample, change

PAUSE: t.Final = 1.0  # seconds between two looks at a unit


def documents(lines: Iterable[str]) -> Iterator[Object]:
    """The JSON objects of a stream, each as soon as it is whole."""
    decoder, text = json.JSONDecoder(), ""
    for line in lines:
        text = (text + line).lstrip()
        while text:
            try:
                found, end = decoder.raw_decode(text)
            except ValueError:
                break
            yield found
            text = text[end:].lstrip()


class Watch:
    """From the beginning of a ``with`` block to its end: each change of the lock, and a sample of each kubelet a second."""

    def __init__(self, lab: Lab, hosts: Iterable[str]) -> None:
        self.changes: list[Change] = []
        self.samples: list[Sample] = []
        self._lab = lab
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._sample, args=(host,)) for host in hosts]
        words = ["get", "leases", "-n", "kube-system", "--watch", "-o", "json"]
        command = [word for word in lab.kubectl.command(words) if not word.startswith("--request-timeout")]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._threads.append(threading.Thread(target=self._follow))

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()

    def _follow(self) -> None:
        for item in documents(self._process.stdout or ()):
            if LEASE.fullmatch(item["metadata"]["name"]):
                self.changes.append(change(item, datetime.now(UTC)))

    def _sample(self, host: str) -> None:
        guest = self._lab.guest(parse_host(host))
        while not self._end.wait(PAUSE):
            try:
                state = guest.run("systemctl show -P ActiveState kubelet", timeout=30).strip()
            except LabError:  # a busy node: the next sample tells
                continue
            self.samples.append(Sample(datetime.now(UTC), host, state))
