"""What one fold has in hand: the rows, the books, and where in the journal it stands."""

from __future__ import annotations

from tradeloop.views.books import Books
from tradeloop.views.rowset import RowSet


class Fold:
    """Passed to every function that folds an event; `seq` is the number of the event being folded."""

    __slots__ = ("books", "rows", "seq")

    def __init__(self, rows: RowSet, books: Books, seq: int) -> None:
        self.rows = rows
        self.books = books
        self.seq = seq
