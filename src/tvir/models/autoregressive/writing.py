"""What all models share that write one piece after the other."""

from __future__ import annotations

from torch import nn

from tvir.contracts.diagram import Arrow, Box, Diagram, Role


def writing_diagram(whole: str, piece: str, network: nn.Module) -> Diagram:
    """A piece is drawn, given all that was drawn before it, and stands before the next.

    Args:
        whole: What the pieces make, as what is there of it is called.
        piece: What one of them is called.
        network: What finds the probability of the next.
    """
    so_far, following, drawn = f"{whole} so far", f"next {piece}", f"drawn {piece}"
    return Diagram(
        boxes=[
            Box(name=so_far, role=Role.DATA),
            Box(name="network", role=Role.NETWORK, module=network),
            Box(name=following, role=Role.DISTRIBUTION),
            Box(name="noise", role=Role.NOISE),
            Box(name=drawn, role=Role.SAMPLE),
        ],
        arrows=[
            Arrow(so_far, "network"),
            Arrow("network", following),
            Arrow(following, drawn),
            Arrow("noise", drawn),
            Arrow(drawn, so_far),
        ],
    )
