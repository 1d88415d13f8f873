"""What the studio does not do, said so that the page can say it in the reader's language."""

from __future__ import annotations

from tvir.contracts.errors import TvirError


class RefusalError(TvirError):
    """A request that is not fulfilled.

    Args:
        code: Key of the phrase that the page shows, ``refusal.CODE`` in its words.
        message: The same in English, for whoever uses the API without the page.
        status: The HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def busy() -> RefusalError:
    """The queue of a model is full."""
    return RefusalError("busy", "the model has too much to do right now; try again in a moment", 503)


def missing(what: str) -> RefusalError:
    """There is nothing under an id."""
    return RefusalError("missing", f"there is no such {what}", 404)
