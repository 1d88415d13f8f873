"""A recurrent network over tokens."""

from __future__ import annotations

from torch import Tensor, nn

from tvir.networks.transformer import Memory, ReadsTokens


class TokenRecurrence(ReadsTokens):
    """The probability of a sequence of tokens, with all that was read in the state of an LSTM.

    Hochreiter and Schmidhuber 1997, Long Short-Term Memory.

    Args:
        vocabulary: Number of tokens; ids are 0 ... vocabulary - 1.
        length: Tokens in a sequence.
        width: Features of a position.
        layers: LSTMs, one above the other.
        beginnings: What may stand before a sequence.

    Example:
        >>> from tvir.contracts.noise import Noise
        >>> recurrence = TokenRecurrence(vocabulary=5, length=4, width=8, layers=1)
        >>> tokens = recurrence.generate(Noise(0, count=3))
        >>> tokens.shape, recurrence(tokens).shape
        (torch.Size([3, 4]), torch.Size([3, 4, 5]))
    """

    def __init__(self, vocabulary: int, length: int, width: int, layers: int, beginnings: int = 1) -> None:
        super().__init__(vocabulary, length, beginnings)
        self.embed = nn.Embedding(self.ids, width)
        self.lstm = nn.LSTM(width, width, layers, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, tokens: Tensor, memory: Memory | None = None, beginning: Tensor | None = None) -> Tensor:
        read = self.embed(self.before(tokens, memory, beginning))
        features, state = self.lstm(read, None if memory is None else memory.state(self.lstm))
        if memory is not None:
            memory.keep(self.lstm, state)
            memory.length += read.shape[1]
        return self.head(features)
