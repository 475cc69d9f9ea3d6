# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What everything has in common that changes the node: the ledger is asked, the intent is on the disk before, the result after."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import replace

from .._diagnosis.ledger import Entry, Ledger, Order, judge
from .ledger import Book, LedgerUnusable, opened, peek
from .task import Host, Outcome, Request


class Ordered:
    """Base of what acts; :meth:`attempt` is the one place where something is changed."""

    host: Host
    request: Request

    def attempt(self, order: Order, seen: Outcome) -> Outcome:
        """Do it, prove it, and say what came of it."""
        raise NotImplementedError

    def ordered(self, order: Order, seen: Outcome) -> Outcome:
        """*seen* with what became of it: refused, permitted (it was only asked), done or failed."""
        try:
            return self._decide(order, seen)
        except LedgerUnusable as problem:
            return replace(seen, refusals=(*seen.refusals, str(problem)))

    def _decide(self, order: Order, seen: Outcome) -> Outcome:
        """A ledger is neither created nor locked for what will not be done."""
        if self.request.check or seen.refusals:
            asked = self._judge(order, peek(self.request.ledger), seen)
            return asked if asked.refusals else replace(asked, result="permitted")
        with opened(self.request.ledger) as book:
            judged = self._judge(order, book.ledger, seen)
            return judged if judged.refusals else self._act(order, book, judged)

    def _judge(self, order: Order, ledger: Ledger, seen: Outcome) -> Outcome:
        verdict = judge(ledger, order, self.host.now(), self.request.policy)
        words = (*seen.refusals, *verdict.refusals)
        return replace(seen, refusals=words, notes=(*seen.notes, *verdict.notes), recent=verdict.recent)

    def _act(self, order: Order, book: Book, seen: Outcome) -> Outcome:
        entry = book.begin(order, self.host.now())
        with _hangups_ignored():
            ended = self.attempt(order, seen)
            return replace(ended, notes=(*ended.notes, *self._written_down(book, entry, ended.result)))

    def _written_down(self, book: Book, entry: Entry, result: str) -> tuple[str, ...]:
        try:
            book.end(entry, result, self.host.now())
        except LedgerUnusable as problem:
            return (f"{problem}: the ledger has the action and not its result",)
        return ()


@contextlib.contextmanager
def _hangups_ignored() -> Iterator[None]:
    """A connection that is cut must not keep the result out of the ledger; SIGTERM still ends us at once."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, previous)
