# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What goes wrong on a node in ways that are expected."""

from __future__ import annotations

from .._parse.errors import ParseError


class ProbeError(Exception):
    """A question that got no usable answer; the text says why, in one line."""


class WrongCall(Exception):
    """What was asked for is wrong; the text says how, and nothing was touched."""


class WrongProfile(WrongCall):
    """This host is no node of the chosen profile; the text says what to do."""


# What a probe may meet on a broken node. Anything else is a mistake of ours, and is reported as one.
EXPECTED = (OSError, ParseError, ProbeError)


def words(error: BaseException) -> str:
    """An error in one line for evidence."""
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if isinstance(error.filename, str) else ""
        return f"{error.strerror}{where}"
    return " ".join(str(error).split())[:300] or type(error).__name__
