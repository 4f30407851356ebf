"""How much of every spatial frequency two pictures hold, wherever it is."""

import torch
from torch import Tensor


def spectrum_l1(drawn: Tensor, truth: Tensor) -> Tensor:
    """| |F x̂| − |F x| | of the orthonormal 2-D Fourier transform: mean over frequencies, channels and pictures.

    drawn, truth: pictures `[N, C, H, W]`, equal shapes (else `ValueError`) → scalar, intensities. A picture shifted
    around its border costs nothing: it asks for sharpness, not for places. Source: the original.
    """
    if drawn.shape != truth.shape:
        raise ValueError(f"pictures must have equal shapes; got {tuple(drawn.shape)} and {tuple(truth.shape)}")
    spectra: list[Tensor] = [torch.fft.fft2(picture, norm="ortho").abs() for picture in (drawn, truth)]
    return (spectra[0] - spectra[1]).abs().mean()
