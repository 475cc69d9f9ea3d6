# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is put aside before a step replaces it: kept where only root can read it, and put back when the step has failed.

A list of it is written first, so that a run that was killed is carried on with or taken back by the next one, whatever it
had come to.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import typing as t

from .durable import move, sync, write
from .files import read

LIST, DONE = "list.json", "done"


class Aside:
    """The directory *place*; *present* are the paths that there are now of those that the step replaces."""

    def __init__(self, place: str, present: t.Callable[[], list[str]]) -> None:
        self.place = place
        self._present = present

    @property
    def left(self) -> bool:
        """Something is put aside."""
        return os.path.lexists(self.place)

    def put(self) -> None:
        """What an earlier run that was cut off has put aside is what was there; all else came of that run."""
        if os.path.exists(f"{self.place}/{DONE}") or not os.path.exists(f"{self.place}/{LIST}"):
            self.forget()
        os.makedirs(self.place, mode=0o700, exist_ok=True)
        os.chmod(self.place, 0o700)
        if not os.path.exists(f"{self.place}/{LIST}"):
            write(f"{self.place}/{LIST}", json.dumps(self._present()), 0o600)
        listed = self._listed()
        for path in self._present():
            if path in listed and not os.path.lexists(self._spot(listed, path)):
                move(path, self._spot(listed, path))
            else:
                os.unlink(path)
        sync(self.place)

    def back(self) -> None:
        """What is there and was not, goes; what was put aside, comes; what was never moved, stays."""
        if not os.path.exists(f"{self.place}/{LIST}"):
            return
        listed = self._listed()
        for path in self._present():
            if path not in listed:
                os.unlink(path)
        for path in listed:
            if os.path.lexists(self._spot(listed, path)):
                move(self._spot(listed, path), path)

    def done(self) -> None:
        """The step has worked: all that lies here is of before, and nothing of it is wanted by the next one."""
        write(f"{self.place}/{DONE}", "", 0o600)

    def forget(self) -> None:
        """Remove it; its list first, so that a rest of it is never taken for what was there."""
        if self.left:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.place}/{LIST}")
            shutil.rmtree(self.place)
            sync(os.path.dirname(self.place))

    def _listed(self) -> list[str]:
        return [str(each) for each in json.loads(read(f"{self.place}/{LIST}"))]

    def _spot(self, listed: list[str], path: str) -> str:
        return f"{self.place}/{listed.index(path)}"
