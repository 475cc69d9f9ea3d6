# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The ledger's file on the node: append-only, fsynced, readable by root alone, and held while an action runs.

Whatever keeps it from being read whole or written to is :class:`LedgerUnusable`, and refuses the action. It stays
bounded: what can never refuse anything again is left out when the file is written anew, under the same lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import time
import typing as t
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace

from .._diagnosis.ledger import (
    Entry,
    Ledger,
    LedgerCorrupt,
    Moment,
    Order,
    Pardon,
    compacted,
    intent_line,
    lines,
    pardon_line,
    parse,
    result_line,
)
from .durable import sync

PATH: t.Final = "/var/lib/outward-kubelet/ledger.jsonl"
# Bytes. An action takes about 600, so with the default budget the file is compacted after some months.
COMPACT: t.Final = 256 * 1024
LARGEST: t.Final = 1024 * 1024
# Whoever writes the file anew replaces it: one that we opened may be gone by the time that we have locked it.
TURNS: t.Final = 3


class LedgerUnusable(Exception):
    """Nothing disruptive may be done: the text says why, in one line."""


class LedgerBusy(LedgerUnusable):
    """Another process of ours acts on this node now."""


def now() -> Moment:
    """This instant on this node."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return Moment(time.time(), boot, time.clock_gettime(time.CLOCK_BOOTTIME))


class Book:
    """The open ledger; nobody else can open it for writing until this process ends or leaves it."""

    def __init__(self, descriptor: int, path: str, ledger: Ledger) -> None:
        self._descriptor = descriptor
        self._path = path
        self.ledger = ledger

    def begin(self, order: Order, moment: Moment) -> Entry:
        """Write down what is about to be done; only when this returns may it be done."""
        entry = Entry(uuid.uuid4().hex, order, moment, None)
        self._make_room(moment)
        if os.fstat(self._descriptor).st_size > LARGEST:
            raise LedgerUnusable(
                f"the ledger {self._path} is full of actions that still count: forgive those that are done with"
            )
        self._add(intent_line(entry))
        return entry

    def forgive(self, entries: Iterable[Entry], pardon: Pardon) -> None:
        """Write down that these do not count any more, all of them or none."""
        self._make_room(pardon.at)
        self._add(b"".join(pardon_line(entry.id, pardon) for entry in entries))

    def end(self, entry: Entry, result: str, moment: Moment) -> None:
        """Write down how it ended ("done" or "failed")."""
        try:
            self._append(result_line(entry.id, result, moment))
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        """Let the next one in."""
        os.close(self._descriptor)

    def _add(self, text: bytes) -> None:
        """Append whole lines in place of a torn one."""
        size = os.fstat(self._descriptor).st_size - self.ledger.torn
        try:
            os.ftruncate(self._descriptor, size)
            self._append(text)
        except OSError as error:
            with contextlib.suppress(OSError):  # half a line on a full disk is a torn line to the next run
                os.ftruncate(self._descriptor, size)
            raise _unwritable(self._path, error) from error
        self.ledger = replace(self.ledger, torn=0)

    def _make_room(self, moment: Moment) -> None:
        if os.fstat(self._descriptor).st_size <= COMPACT:
            return
        smaller = compacted(self.ledger, moment)
        try:
            descriptor = _written_anew(self._path, b"".join(lines(entry) for entry in smaller.entries))
        except OSError as error:
            raise _unwritable(self._path, error) from error
        self.close()
        self._descriptor, self.ledger = descriptor, smaller

    def _append(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        if written != len(line):
            raise OSError(f"only {written} of {len(line)} bytes were written")
        os.fsync(self._descriptor)


@contextlib.contextmanager
def opened(path: str) -> Iterator[Book]:
    """The ledger at *path*, created when it is missing, and locked."""
    descriptor = _open_locked(path)
    try:
        book = Book(descriptor, path, _read(descriptor, path))
    except LedgerUnusable:
        os.close(descriptor)
        raise
    try:
        yield book
    finally:
        book.close()


def peek(path: str) -> Ledger:
    """The ledger at *path* without touching anything: for check mode. Raises what :func:`opened` would."""
    if not os.path.lexists(path):
        _require_creatable(path)
    elif not os.access(path, os.W_OK):
        raise LedgerUnusable(f"the ledger {path} cannot be written to")
    return read(path)


def read(path: str) -> Ledger:
    """The ledger at *path*, also where nothing can be written; raises LedgerUnusable for one that proves nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except (FileNotFoundError, NotADirectoryError):
        return Ledger((), 0)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        return _read(descriptor, path)
    finally:
        os.close(descriptor)


def _open_locked(path: str) -> int:
    """The file that has this name now, ours alone."""
    for dummy in range(TURNS):
        try:
            descriptor = _open(path)
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            _lock(descriptor, path)
            if os.path.samestat(os.fstat(descriptor), os.lstat(path)):
                return descriptor
        except LedgerUnusable:
            os.close(descriptor)
            raise
        except OSError as error:
            os.close(descriptor)
            raise _unwritable(path, error) from error
        os.close(descriptor)
    raise _busy(path)


def _written_anew(path: str, data: bytes) -> int:
    """Replace the file at *path* in one step; locked before anybody can find it. Killed before: nothing has changed."""
    temporary = f"{path}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        written = os.write(descriptor, data)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes were written")
        os.fsync(descriptor)
        os.rename(temporary, path)
        sync(os.path.dirname(path))
    except OSError:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return descriptor


def _open(path: str) -> int:
    """Create directory and file as they must be, and make both durable."""
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        os.makedirs(directory, mode=0o700)
        sync(os.path.dirname(directory))
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        sync(directory)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int, path: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise _busy(path) from error


def _read(descriptor: int, path: str) -> Ledger:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise LedgerUnusable(f"the ledger {path} can be written to by others, so it proves nothing")
    try:
        return parse(os.pread(descriptor, status.st_size, 0))
    except LedgerCorrupt as error:
        raise LedgerUnusable(f"{path}: {error}") from error
    except OSError as error:
        raise _unwritable(path, error) from error


def _require_creatable(path: str) -> None:
    """The nearest directory that exists can be written to."""
    directory = os.path.dirname(path)
    while not os.path.lexists(directory) and directory != os.path.dirname(directory):
        directory = os.path.dirname(directory)
    if not os.path.isdir(directory) or not os.access(directory, os.W_OK):
        raise LedgerUnusable(f"the ledger {path} cannot be created: {directory} cannot be written to")


def _busy(path: str) -> LedgerBusy:
    return LedgerBusy(f"another run is acting on this node: it holds {path}")


def _unwritable(path: str, error: OSError) -> LedgerUnusable:
    return LedgerUnusable(f"the ledger {path} cannot be written: {error.strerror or error}")
