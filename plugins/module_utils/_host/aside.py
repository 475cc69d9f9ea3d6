# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is put aside before a step replaces it: kept where only root can read it, and put back when the step has failed.

A list of it is written first, so that a run that was killed is carried on with or taken back by the next one, whatever it
had come to. Between the two a person may have mended the node by hand, and who has made a file cannot be told from it: so
nothing that a run finds is removed before a step is proven. What is not to be put back lies beside meanwhile.
"""

from __future__ import annotations

import json
import os
import shutil
import typing as t

from .durable import move, sync, write
from .files import names, read

LIST, DONE, BESIDE = "list.json", "done", "beside"


class Aside:
    """The directory *place*; *present* are the paths that there are now of those that the step replaces.

    *whole*: what is there could work as it is, so it is what was there, whatever an earlier run has put aside.
    """

    def __init__(self, place: str, present: t.Callable[[], list[str]], whole: t.Callable[[], bool]) -> None:
        self.place = place
        self._present, self._whole = present, whole
        self._halfway = False

    @property
    def left(self) -> bool:
        """Something is put aside."""
        return os.path.lexists(self.place)

    def told(self) -> t.Optional[str]:
        """Of what lies beside, when all else was put back; None: nothing does."""
        place = f"{self.place}/{BESIDE}"
        return (
            f"what was there before was put back; what a run that was cut off left is in {place}"
            if names(place)
            else None
        )

    def put(self) -> None:
        """What an earlier run that was cut off has put aside is what was there, unless something whole has come since."""
        self._halfway = True
        if os.path.exists(f"{self.place}/{DONE}"):
            self.forget()
        elif not os.path.exists(f"{self.place}/{LIST}"):
            self.clear()
        elif self._whole():
            self._supersede()
        os.makedirs(self.place, mode=0o700, exist_ok=True)
        os.chmod(self.place, 0o700)
        if not os.path.exists(f"{self.place}/{LIST}"):
            write(f"{self.place}/{LIST}", json.dumps(self._present()), 0o600)
        listed = self._listed()
        for path in self._present():
            if path in listed and not os.path.lexists(self._spot(listed, path)):
                move(path, self._spot(listed, path))
            else:
                self.lay_beside(path)
        sync(self.place)
        self._halfway = False

    def back(self) -> None:
        """What the step has made, goes; what was put aside, comes; what was never moved, stays."""
        if not os.path.exists(f"{self.place}/{LIST}"):
            return
        listed = self._listed()
        for path in self._present():
            if path in listed and not os.path.lexists(self._spot(listed, path)):
                continue
            if self._halfway:  # the step had not begun, so it has made nothing
                self.lay_beside(path)
            else:
                os.unlink(path)
        for path in listed:
            if os.path.lexists(self._spot(listed, path)):
                move(self._spot(listed, path), path)

    def lay_beside(self, path: str) -> None:
        """Away with it, and not for good."""
        place = f"{self.place}/{BESIDE}"
        os.makedirs(place, mode=0o700, exist_ok=True)
        move(path, f"{place}/{len(names(place))}-{os.path.basename(path)}")

    def done(self) -> None:
        """The step has worked: all that lies here is of before, and nothing of it is wanted by the next one."""
        write(f"{self.place}/{DONE}", "", 0o600)

    def forget(self) -> None:
        """Remove it; its list first, so that a rest of it is never taken for what was there."""
        self._unlist()
        if self.left:
            shutil.rmtree(self.place)
            sync(os.path.dirname(self.place))

    def clear(self) -> None:
        """Remove it, but for what lies beside."""
        self._unlist()
        for name in names(self.place):
            if name != BESIDE:
                os.unlink(f"{self.place}/{name}")
        if self.left and not names(f"{self.place}/{BESIDE}"):
            self.forget()

    def _supersede(self) -> None:
        """What the earlier run has put aside is no longer what was there."""
        for name in names(self.place):
            if name not in (BESIDE, LIST):
                self.lay_beside(f"{self.place}/{name}")
        self._unlist()

    def _unlist(self) -> None:
        if os.path.lexists(f"{self.place}/{LIST}"):
            os.unlink(f"{self.place}/{LIST}")

    def _listed(self) -> list[str]:
        return [str(each) for each in json.loads(read(f"{self.place}/{LIST}"))]

    def _spot(self, listed: list[str], path: str) -> str:
        return f"{self.place}/{listed.index(path)}"
