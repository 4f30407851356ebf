"""The networks of tinydreams: tokenizers, attention blocks, the drawing head, and the discriminator."""

import itertools
import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from whatmoves.models.attention import attend
from whatmoves.models.doubling import convolve_doubled, doubled_kernel
from whatmoves.models.pointwise import PointwiseConv2d

Norm = Literal["instance", "batch"]
Widths = tuple[int, ...]
SMALL = 0.02  # deviation of fresh positions and registers
LARGE = 1 << 15  # numbers in the maps of a picture from which on a call for each picture is worth it


def learned(*sizes: int) -> nn.Parameter:
    """Small fresh numbers, normal within two deviations."""
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(sizes), std=SMALL))


def make_norm(kind: Norm, channels: int) -> nn.Module:
    """Instance norm, which takes level and contrast out of every channel of a picture, or batch norm, which keeps how
    they differ from picture to picture. Both have 2 · channels parameters and take `[N, channels, H, W]`.
    """
    return nn.BatchNorm2d(channels) if kind == "batch" else InstanceNorm(channels)


class InstanceNorm(nn.GroupNorm):
    """One channel a group. On a CPU a picture alone is a batch whose batch norm is the same: PyTorch's group norm takes
    five times as long to go back through large maps with channels last.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        if maps.device.type != "cpu" or maps[0].numel() < LARGE:
            return super().forward(maps)
        pictures, scale = torch.split(maps, 1), (self.weight, self.bias)
        return torch.cat([F.batch_norm(picture, None, None, *scale, True, eps=self.eps) for picture in pictures])


class ResidualBlock(nn.Module):
    """`[N, before, H, W]` → `[N, after, H/stride, W/stride]`: two 3×3 convolutions beside a shortcut.

    `doubles` (stride 1): the block of maps whose sides were doubled before, `[N, after, 2H, 2W]`.
    `bare`: the second convolution has a bias, and neither norm nor activation follows.
    """

    def __init__(
        self, before: int, after: int, stride: int, norm: Norm, act: nn.Module, doubles: bool = False,
        bare: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.doubles = doubles
        self.path = nn.Sequential(
            nn.Conv2d(before, after, 3, stride, padding=1, bias=False),
            make_norm(norm, after),
            act,
            nn.Conv2d(after, after, 3, padding=1, bias=bare),
        )
        self.last = act
        if bare:
            self.last = nn.Identity()
        else:
            self.path.append(make_norm(norm, after))
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.shortcut = nn.Sequential(PointwiseConv2d(before, after, stride), make_norm(norm, after))

    def forward(self, maps: Tensor) -> Tensor:
        if not self.doubles:
            result: Tensor = self.last(self.path(maps) + self.shortcut(maps))
            return result
        first = self.path[0]
        assert isinstance(first, nn.Conv2d)
        risen = convolve_doubled(maps, doubled_kernel(first.weight))
        result = self.last(self.path[1:](risen) + self._doubled_shortcut(maps))
        return result

    def _doubled_shortcut(self, maps: Tensor) -> Tensor:
        """The shortcut of doubled maps: its 1×1 convolution comes before the doubling."""
        if not isinstance(self.shortcut, nn.Sequential):
            return F.interpolate(maps, scale_factor=2)
        shortcut: Tensor = self.shortcut[1](F.interpolate(self.shortcut[0](maps), scale_factor=2))
        return shortcut


class ConvTokenizer(nn.Sequential):
    """Pictures `[N, before, H, W]` → tokens as a map `[N, dim, H/patch, W/patch]`; each stage halves the sides."""

    def __init__(self, before: int, widths: Widths, blocks: int, norm: Norm) -> None:
        stages = len(widths)
        super().__init__(*(
            ResidualBlock(
                inputs if block == 0 else outputs, outputs, 2 if block == 0 else 1, norm, nn.GELU(),
                bare=stage == stages - 1 and block == blocks - 1,
            )
            for stage, (inputs, outputs) in enumerate(itertools.pairwise((before, *widths)))
            for block in range(blocks)
        ))  # fmt: skip


class DrawingHead(nn.Module):
    """Tokens as a map `[N, dim, h, w]` → frames `[N, C, h · patch, w · patch]` in 0 … 1, float32.

    With `skip` it also draws a mask that takes pixels from the last frames `[N, C, H, W]` instead.
    """

    def __init__(self, dim: int, widths: Widths, blocks: int, norm: Norm, channels: int, grey: float, skip: bool):
        super().__init__()
        self.channels, self.skip = channels, skip
        self.stages = nn.Sequential()
        for stage, (inputs, outputs) in enumerate(itertools.pairwise((dim, *widths))):
            for block in range(blocks):
                made = ResidualBlock(outputs if block else inputs, outputs, 1, norm, nn.ReLU(), doubles=not block)
                # Numbered as if the doubling were a layer before a stage's blocks: so are the keys of checkpoints.
                self.stages.add_module(str(stage * (blocks + 1) + 1 + block), made)
        self.head = nn.Conv2d(widths[-1], channels + skip, 3, padding=1)
        assert self.head.bias is not None
        with torch.no_grad():
            self.head.bias[:channels] += math.log(grey / (1 - grey))

    def forward(self, tokens: Tensor, last: Tensor) -> Tensor:
        drawn: Tensor = self.head(self.stages(tokens)).float().sigmoid()
        if not self.skip:
            return drawn
        mask = drawn[:, self.channels :]
        return mask * last + (1 - mask) * drawn[:, : self.channels]


class ActionToken(nn.Module):
    """Actions `[N, A]` → one token each `[N, 1, dim]`: a small MLP, one linear layer, a learned position."""

    def __init__(self, actions: int, hidden: Widths, dim: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise((actions, *hidden)):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Linear((actions, *hidden)[-1], dim))
        self.position = learned(dim)

    def forward(self, actions: Tensor) -> Tensor:
        tokens: Tensor = self.layers(actions) + self.position
        return tokens.unsqueeze(1)


class Attention(nn.Module):
    """Tokens `[N, t, dim]` look at tokens `[N, s, dim]`. `gated`: or at nothing, a key and a value that are zero.

    Looking at one token without the gate is no looking: the softmax over one key is 1, whatever is asked for.
    """

    def __init__(self, dim: int, heads: int, dropout: float, gated: bool = False) -> None:
        super().__init__()
        self.heads, self.dropout, self.gated = heads, dropout, gated
        self.queries, self.keys_values = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.mix = nn.Linear(dim, dim)
        spread = math.sqrt(6 / (4 * dim))  # Xavier's for queries, keys and values as one layer
        for layer in (self.queries, self.keys_values):
            nn.init.uniform_(layer.weight, -spread, spread)
        for layer in (self.queries, self.keys_values, self.mix):
            nn.init.zeros_(layer.bias)

    def _split(self, tokens: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries `[N, heads, t, ·]`, keys and values `[N, heads, s, ·]`."""
        parts = (self.queries(tokens), *self.keys_values(seen).chunk(2, dim=2))
        queries, keys, values = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in parts)
        if self.gated:
            keys, values = F.pad(keys, (0, 0, 0, 1)), F.pad(values, (0, 0, 0, 1))
        return queries, keys, values

    def weights(self, tokens: Tensor, seen: Tensor) -> Tensor:
        """How much each token looks at each: `[N, heads, t, s]`; sums over s to 1, with the gate to at most 1."""
        queries, keys, _ = self._split(tokens, seen)
        scores = queries.float() @ keys.float().transpose(2, 3) / math.sqrt(queries.shape[3])
        return scores.softmax(3)[..., : seen.shape[1]]

    def forward(self, tokens: Tensor, seen: Tensor) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        found = attend(*self._split(tokens, seen), dropout)
        mixed: Tensor = self.mix(found.transpose(1, 2).flatten(2))
        return mixed


class Block(nn.Module):
    """Tokens `[N, t, dim]` → the same: self-attention, a look at the context if there is one, feed-forward.

    Each part reads normalised tokens and is added to the plain ones.
    """

    def __init__(self, dim: int, heads: int, feedforward: int, dropout: float, gated: bool | None) -> None:
        super().__init__()
        self.attention_norm, self.attention = nn.LayerNorm(dim), Attention(dim, heads, dropout)
        self.looks = gated is not None
        if gated is not None:
            self.asking_norm, self.context_norm = nn.LayerNorm(dim), nn.LayerNorm(dim)
            self.context_attention = Attention(dim, heads, dropout, gated)
        self.feedforward = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, feedforward), nn.GELU(), nn.Dropout(dropout), nn.Linear(feedforward, dim)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, context: Tensor | None) -> Tensor:
        normalised = self.attention_norm(tokens)
        tokens = tokens + self.drop(self.attention(normalised, normalised))
        if self.looks and context is not None:
            tokens = tokens + self.drop(self.context_attention(self.asking_norm(tokens), self.context_norm(context)))
        result: Tensor = tokens + self.drop(self.feedforward(tokens))
        return result


class Transformer(nn.Module):
    """Image tokens `[N, places, dim]` and an action token `[N, 1, dim]` or None → image tokens after the last block.

    Registers stand first. The action token stands between them and the image (`gated` None), or outside, where every
    block looks at it: with the gate or without. Nothing normalises what comes out.
    """

    def __init__(
        self, dim: int, depth: int, heads: int, feedforward: int, dropout: float, registers: int, gated: bool | None,
        checkpointed: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.registers = learned(registers, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, feedforward, dropout, gated) for _ in range(depth))
        self.inside, self.checkpointed = gated is None, checkpointed

    def _sequence(self, image: Tensor, action: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """All tokens of the self-attention `[N, t, dim]`, and what is looked at from outside."""
        registers = self.registers.to(image.dtype).expand(len(image), -1, -1)
        if action is not None and self.inside:
            return torch.cat((registers, action, image), dim=1), None
        return torch.cat((registers, image), dim=1), action

    def forward(self, image: Tensor, action: Tensor | None) -> Tensor:
        tokens, context = self._sequence(image, action)
        for block in self.blocks:
            if self.checkpointed and self.training:
                tokens = checkpoint(block, tokens, context, use_reentrant=False)
            else:
                tokens = block(tokens, context)
        return tokens[:, -image.shape[1] :]

    def attention(self, image: Tensor, action: Tensor | None) -> Tensor:
        """Self-attention of every block, mean over heads: `[N, depth, t, t]`, from each token (row) to each."""
        tokens, context = self._sequence(image, action)
        seen = []
        for block in self.blocks:
            assert isinstance(block, Block)
            normalised = block.attention_norm(tokens)
            seen.append(block.attention.weights(normalised, normalised).mean(1))
            tokens = block(tokens, context)
        return torch.stack(seen, dim=1)


class Discriminator(nn.Module):
    """Pictures `[N, before, H, W]` → logits `[N, 1]` that they are made: convolutions, mean over places, MLP."""

    def __init__(self, before: int, widths: Widths, hidden: Widths) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise((before, *widths)):
            layers += [
                nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False),
                make_norm("instance", outputs),
                nn.LeakyReLU(0.2),
            ]
        self.maps = nn.Sequential(*layers)
        layers = []
        for inputs, outputs in itertools.pairwise((widths[-1], *hidden)):
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
        self.mlp = nn.Sequential(*layers, nn.Linear((widths[-1], *hidden)[-1], 1))

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.mlp(self.maps(pictures).mean((2, 3)))
        return logits.float()
