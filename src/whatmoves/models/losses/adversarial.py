"""A discriminator's game with the one that draws, with soft and noisy labels, both sides in one backward pass.

Labels are inverted, as in the original: 0 is real, 1 is made, and a logit above 0 says "made".
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Range = tuple[float, float]


def noisy_labels(logits: Tensor, between: Range, noise: float) -> Tensor:
    """A label for every logit, uniform `between` two values, plus Gaussian noise of that deviation, cut to 0 … 1.

    Drawn from the global generator: the caller seeds.
    """
    low, high = between
    labels = low + (high - low) * torch.rand_like(logits) + noise * torch.randn_like(logits)
    return labels.clamp(0, 1)


def discriminator_nats(real: Tensor, made: Tensor, labels: tuple[Range, Range], noise: float) -> Tensor:
    """Cross-entropy of a discriminator's logits with the labels of real and of made pictures: the sum of both means.

    real, made: logits `[N, 1]`, equal shapes (else `ValueError`); labels: ranges for real and for made → scalar, nats.
    At logits 0 it is 2 ln 2. Source: Goodfellow et al., Generative Adversarial Nets, 2014, equation 1; soft labels
    after Salimans et al., Improved Techniques for Training GANs, 2016, section 3.4.
    """
    if real.shape != made.shape:
        raise ValueError(f"logits must have equal shapes; got {tuple(real.shape)} and {tuple(made.shape)}")
    of_real, of_made = (
        F.binary_cross_entropy_with_logits(logits, noisy_labels(logits, between, noise))
        for logits, between in zip((real, made), labels, strict=True)
    )
    return of_real + of_made


def generator_nats(made: Tensor, wanted: Range, noise: float) -> Tensor:
    """Cross-entropy of the logits `[N, 1]` of made pictures with the labels of real ones: mean over pictures, nats."""
    return F.binary_cross_entropy_with_logits(made, noisy_labels(made, wanted, noise))


def frozen(discriminator: nn.Module, pictures: Tensor) -> Tensor:
    """Logits of `pictures` by the discriminator as it is now: gradients reach the pictures and not its parameters.

    So one backward pass over the sum of both sides moves each by its own term only.
    """
    weights = {name: value.detach() for name, value in discriminator.state_dict().items()}
    logits: Tensor = torch.func.functional_call(discriminator, weights, (pictures,))
    return logits
