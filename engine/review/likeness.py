"""Likeness: where a picture lies between the base's pictures and the training pictures, and how far that can be trusted."""

import math
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

SHRINK = 0.2
"""Share of an even spread in the covariance of features. From 0.05 to 0.5 held-out toadstools came to .93 to .97."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """From the base's pictures (0) to the training pictures (1), in the features of the base."""

    origin_F: Tensor
    weights_F: Tensor

    def places(self, features_NF: Tensor) -> list[float]:
        """Where pictures lie on it."""
        return [float(value) for value in (features_NF - self.origin_F) @ self.weights_F]

    @classmethod
    def between(cls, base_NF: Tensor, own_NF: Tensor, others_NF: Tensor) -> "Axis":
        """From the mean of `base_NF` to the mean of `own_NF`, across what varies within either and in `others_NF`.

        Fisher's discriminant: a direction in which pictures of the base differ anyway (their light, their backdrop) says
        nothing of the subject and counts little. With fewer pictures than features its covariance is shrunk by SHRINK.
        """
        deviation_F = torch.cat([base_NF, others_NF]).std(dim=0).clamp(min=1e-4)
        base, own, others = (
            (each - base_NF.mean(dim=0)) / deviation_F for each in (base_NF, own_NF, others_NF)
        )
        within_NF = torch.cat([each - each.mean(dim=0) for each in (torch.cat([base, others]), own)]).double()
        covariance_FF = within_NF.T @ within_NF / len(within_NF)
        even = covariance_FF.diagonal().mean() * torch.eye(len(deviation_F), dtype=torch.float64)
        difference_F = own.mean(dim=0).double()
        direction_F = torch.linalg.solve((1 - SHRINK) * covariance_FF + SHRINK * even, difference_F)
        weights_F = (direction_F / (direction_F @ difference_F).clamp(min=1e-8)).float() / deviation_F
        return cls(origin_F=base_NF.mean(dim=0), weights_F=weights_F)


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """The measure of likeness of one run, and how well it does where the answer is known."""

    axis: Axis
    held_out: int
    """Held-out pictures of the subject, which had no part in it."""
    above: float
    """Chance that a held-out picture lies above one of the base's own, 0 to 1; 0.5 is chance. Each was judged by an
    axis that was made without it. nan without held-out ones."""
    limits: str
    """What it does not see."""

    @property
    def trust(self) -> str:
        """How far it can be trusted, in a sentence."""
        if not self.held_out:
            return f"There are no held-out pictures of the subject to try it on: take it as an order. {self.limits}"
        return (
            f"On this run it puts a held-out picture of the subject above one of the base's own in {self.above:.0%} of all "
            f"pairs ({self.held_out} held-out pictures). {self.limits}"
        )


def above(base_NF: Tensor, own_NF: Tensor, others_NF: Tensor, held_NF: Tensor) -> float:
    """Share of pairs in which a held-out picture lies above one of the base's, each half of which is judged by an axis that
    was made with the other half alone."""
    found = []
    for half in (0, 1):
        without_NF, judged_NF = base_NF[1 - half :: 2], base_NF[half::2]
        if len(without_NF) < 2 or not len(judged_NF):
            return math.nan
        axis = Axis.between(without_NF, own_NF, others_NF)
        theirs, bases = axis.places(held_NF), axis.places(judged_NF)
        found += [(its > base) + 0.5 * (its == base) for its in theirs for base in bases]
    return fmean(found)
