"""The work that models need at least: floating point operations, and bytes read or written once."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Transformer:
    """What the work of an encoder depends on."""

    layers: int
    hidden: int
    intermediate: int

    @property
    def weights(self) -> int:
        """Weights that every token is multiplied with."""
        return self.layers * (4 * self.hidden * self.hidden + 2 * self.hidden * self.intermediate)

    def flops(self, lengths: list[int], first: bool = False) -> float:
        """Operations for rows of these lengths when nobody computes padding. Where the first token of a row alone is read, the
        last layer needs keys and values of the others, and nothing else of them."""
        # products with weights, then scores and their product with the values
        attention = 2 * self.hidden * sum(length * length for length in lengths)
        products = sum(lengths) * self.weights + self.layers * attention
        if first:
            others = sum(lengths) - len(lengths)
            products -= others * 2 * self.hidden * (self.hidden + self.intermediate)
            products -= attention - 2 * self.hidden * sum(lengths)
        return 2.0 * products

    def bytes(self, lengths: list[int]) -> float:
        """The weights and the embeddings of the tokens, once."""
        return 4.0 * (self.weights + sum(lengths) * self.hidden)


MINILM = Transformer(layers=6, hidden=384, intermediate=1536)
BERT_BASE = VIT_B16 = Transformer(layers=12, hidden=768, intermediate=3072)
