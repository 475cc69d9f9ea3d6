# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two that want the same turn."""

from __future__ import annotations

import threading
import time
import typing as t


def course(turn: t.Callable[[], t.ContextManager[None]]) -> list[str]:
    """In which order they get through: the second one wants it while the first one has it."""
    through = []

    def second() -> None:
        with turn():
            through.append("second")

    with turn():
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        through.append("first")
    thread.join()
    return through
