"""The network: a decoder-only Transformer, pre-norm, with the parameter names of Liu's book.

Learn Generative AI with PyTorch (Mark Liu), ch. 14; the layout goes back to GPT-2 (Radford et al.
2019). Rotary positions: Su et al. 2021, RoFormer, here in the half-split form.
Shapes: B sequences, T events, H heads, D = width of a head, C = H * D.
"""

from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.codec.events import Conventions
from core.codec.vocabulary import PADDING, SYMBOLS_SIZE, VOCABULARY_SIZE
from core.errors import UnreadableInput

ROTARY_BASE = 10_000.0


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """All that is needed to rebuild a network, and to encode a prompt the way it was trained."""

    n_layer: Annotated[int, msgspec.Meta(ge=1, le=128)]
    n_head: Annotated[int, msgspec.Meta(ge=1, le=128)]
    n_embd: Annotated[int, msgspec.Meta(ge=1, le=8192)]
    block_size: Annotated[int, msgspec.Meta(ge=1, le=65536)]
    vocab_size: Literal[390, 462] = VOCABULARY_SIZE  # or SYMBOLS_SIZE
    position: Literal["learned", "rotary"] = "rotary"
    velocity: Literal["change", "each"] = "change"
    starts_with_boundary: bool = True

    @property
    def conventions(self) -> Conventions:
        """How prompts for this model are encoded."""
        return Conventions(self.velocity, self.starts_with_boundary)

    @property
    def has_symbols(self) -> bool:
        """Whether the model knows the symbols beside the events (see core.codec.vocabulary)."""
        return self.vocab_size == SYMBOLS_SIZE

    def as_dict(self) -> dict[str, Any]:
        """The config as it stands in a checkpoint's header."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: object) -> "ModelConfig":
        """The config of a header. Raises UnreadableInput, before anything is allocated, for one that cannot be."""
        try:
            msgspec.convert(raw, _Rotary)
            config = msgspec.convert(raw, cls)
        except msgspec.ValidationError as error:
            raise UnreadableInput(f"The model's config cannot be used: {str(error)[:200]}.") from error
        if config.n_embd % (2 * config.n_head):
            raise UnreadableInput("The model's width cannot be shared out evenly among its heads.")
        return config


class _Rotary(msgspec.Struct):
    """What some headers say beside the config."""

    rotary_base: Annotated[float, msgspec.Meta(ge=ROTARY_BASE, le=ROTARY_BASE)] = ROTARY_BASE


BOOK = ModelConfig(
    n_layer=6,
    n_head=8,
    n_embd=512,
    block_size=2048,
    position="learned",
    velocity="each",
    starts_with_boundary=False,
)


def rotary_tables(length: int, head_width: int) -> tuple[Tensor, Tensor]:
    """Cosines and signed sines for positions 0 to length - 1, each (length, D); see `rotate`."""
    frequencies = ROTARY_BASE ** (-torch.arange(0, head_width, 2, dtype=torch.float64) / head_width)  # (D/2,)
    angles = torch.arange(length, dtype=torch.float64)[:, None] * frequencies  # (length, D/2)
    cos, sin = angles.cos().float(), angles.sin().float()
    return torch.cat((cos, cos), 1), torch.cat((-sin, sin), 1)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the pairs (x[i], x[i + D/2]) by their position's angles. x: (..., T, D); tables: (T, D)."""
    low, high = x.chunk(2, -1)
    return torch.addcmul(x * cos, torch.cat((high, low), -1), sin)


class CausalSelfAttention(nn.Module):
    """Every event looks at itself and at what came before."""

    def __init__(self, config: ModelConfig, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.dropout = dropout
        self.attention_dropout = attention_dropout
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        b, t, c = x.shape
        q, k, v = self.c_attn(x).view(b, t, 3, self.n_head, c // self.n_head).permute(2, 0, 3, 1, 4)  # (B, H, T, D)
        if rotary is not None:
            q, k = rotate(q, *rotary), rotate(k, *rotary)
        p = self.attention_dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=p)
        y = self.c_proj(y.transpose(1, 2).reshape(b, t, c))
        return F.dropout(y, self.dropout, self.training)


class MLP(nn.Module):
    """Two linear layers, four times as wide between, GELU in its tanh form."""

    def __init__(self, config: ModelConfig, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd)
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        return F.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")), self.dropout, self.training)


class Block(nn.Module):
    """One layer: attention, then MLP, each on the normed input and added to it."""

    def __init__(self, config: ModelConfig, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config, dropout, attention_dropout)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = MLP(config, dropout)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor] | None) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.attn(self.ln_1(x), rotary)
        return x + self.mlp(self.ln_2(x))


class Body(nn.Module):
    """All but the last linear layer; what the book counts when it counts parameters."""

    def __init__(self, config: ModelConfig, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        if config.position == "learned":
            self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.h = nn.ModuleList(Block(config, dropout, attention_dropout) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd)


class MusicTransformer(nn.Module):
    """The whole network: event ids in, logits of the next event out.

    `dropout` is that of embeddings and of what is added to the residual stream, `attention_dropout`
    that of the attention's weights (on a CPU no fused kernel has it: training takes three times as long).
    """

    def __init__(self, config: ModelConfig, dropout: float = 0.0, attention_dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.dropout = dropout
        self.transformer = Body(config, dropout, attention_dropout)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.cos: Tensor
        self.sin: Tensor
        self.reset_tables()
        self.apply(self._init_weights)

    def reset_tables(self) -> None:
        """Compute the rotary tables, which are not stored, on the device of the weights."""
        device = self.lm_head.weight.device
        size = (self.config.block_size, self.config.n_embd // self.config.n_head)
        # Where there are shapes alone, computing would load PyTorch's compiler.
        tables = torch.empty(2, *size) if device.type == "meta" else rotary_tables(*size)
        for name, table in zip(("cos", "sin"), tables, strict=True):
            self.register_buffer(name, table.to(device), persistent=False)

    def _init_weights(self, module: nn.Module) -> None:
        """Normal, 0.02, as GPT-2; the layers that write to the residual stream smaller by its depth."""
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
        if isinstance(module, (CausalSelfAttention, MLP)):
            nn.init.normal_(module.c_proj.weight, std=0.02 / (2 * self.config.n_layer) ** 0.5)

    @property
    def size(self) -> int:
        """Number of parameters as the book counts them: over `transformer`, without `lm_head`."""
        return sum(p.numel() for p in self.transformer.parameters())

    def forward(self, events: Tensor) -> Tensor:
        """(B, T) ids, T at most block_size -> (B, T, vocab_size) logits."""
        t = events.shape[1]
        x = self.transformer.wte(events)  # (B, T, C)
        rotary = None
        if self.config.position == "learned":
            x = x + self.transformer.wpe.weight[:t]
        else:
            rotary = (self.cos[:t], self.sin[:t])
        x = F.dropout(x, self.dropout, self.training)
        for block in self.transformer.h:
            x = block(x, rotary)
        return self.lm_head(self.transformer.ln_f(x))


def with_symbols(model: MusicTransformer) -> MusicTransformer:
    """A network that knows the symbols besides, as unlikely at first as padding; `model` itself if it knows them.

    Their embeddings are drawn from the means and deviations of those there are.
    """
    if model.config.has_symbols:
        return model
    wide = MusicTransformer(replace(model.config, vocab_size=SYMBOLS_SIZE))
    weights = dict(model.state_dict())
    known = weights["transformer.wte.weight"]
    count = SYMBOLS_SIZE - len(known)
    drawn = torch.randn(count, known.shape[1], generator=torch.Generator().manual_seed(0)).to(known)
    weights["transformer.wte.weight"] = torch.cat((known, known.mean(0) + known.std(0) * drawn))
    head = weights["lm_head.weight"]
    weights["lm_head.weight"] = torch.cat((head, head[PADDING].expand(count, -1)))
    wide.load_state_dict(weights)
    return wide
