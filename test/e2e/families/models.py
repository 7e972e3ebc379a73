"""The small models that export.py writes: one function for each family, one entry of MODELS for each graph."""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np
import torch
import transformers
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

VOCABULARY, HIDDEN, HEADS, LAYERS, INTERMEDIATE = 64, 16, 2, 2, 24
HEAD_DIM = HIDDEN // HEADS
Arrays = dict[str, np.ndarray]


@dataclasses.dataclass
class Model:
    """A module whose positional arguments are what `inputs` makes for a size, and its outputs' names."""

    module: torch.nn.Module
    inputs: Callable[..., Arrays]
    outputs: list[str]
    dynamic_axes: dict[str, dict[int, str]]
    sizes: tuple[tuple, tuple]  # two values for the arguments of `inputs`, of which all dynamic axes differ
    exporter: str = "torchscript"  # or "dynamo"
    opset: int | None = 17  # None: the exporter's default


class Call(torch.nn.Module):
    """A module called with named inputs, that gives some of its outputs."""

    def __init__(self, module: torch.nn.Module, names: list[str], outputs: list[str], **fixed) -> None:
        super().__init__()
        self.module, self.names, self.outputs, self.fixed = module, names, outputs, fixed

    def forward(self, *arguments):
        result = self.module(**dict(zip(self.names, arguments)), **self.fixed)
        return tuple(getattr(result, name) for name in self.outputs)


def tokens(rng: np.random.Generator, batch: int, sequence: int, padded: str | None = "right", past: int = 0) -> Arrays:
    """Token ids and a mask of different lengths, with padding on the side that is said."""
    ids = rng.integers(1, VOCABULARY, (batch, sequence))
    mask = np.ones((batch, past + sequence), np.int64)
    for row in range(1, batch):
        length = max(1, past + sequence - 2 * row)
        if padded == "right":
            mask[row, length:] = 0
        elif padded == "left":
            mask[row, : past + sequence - length] = 0
    return {"input_ids": ids, "attention_mask": mask}


BATCH_SEQUENCE = {0: "batch", 1: "sequence"}


def encoder(module: torch.nn.Module, outputs: list[str], segments: bool = False) -> Model:
    """A text encoder of padded sequences."""

    def inputs(rng, batch, sequence):
        arrays = tokens(rng, batch, sequence)
        if segments:
            arrays["token_type_ids"] = rng.integers(0, 2, (batch, sequence))
        return arrays

    names = list(inputs(np.random.default_rng(0), 1, 1))
    axes = {name: BATCH_SEQUENCE for name in names}
    axes |= {name: BATCH_SEQUENCE if "hidden" in name else {0: "batch"} for name in outputs}
    return Model(Call(module, names, outputs), inputs, outputs, axes, ((3, 9), (2, 13)))


def bert(attention: str, **changes) -> Model:
    config = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=INTERMEDIATE, max_position_embeddings=64, attn_implementation=attention, **changes
    )
    return encoder(transformers.BertModel(config), ["last_hidden_state", "pooler_output"], segments=True)


class HeadMasked(torch.nn.Module):
    """BERT with a weight for each head of each layer, as transformers' head masks are."""

    def __init__(self, bert: torch.nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, head_mask):
        return self.bert(input_ids, attention_mask, head_mask=head_mask).last_hidden_state


def head_masked(attention: str) -> Model:
    model = encoder(torch.nn.Identity(), ["last_hidden_state"])
    model.module = HeadMasked(bert(attention).module.module)
    plain = model.inputs
    model.inputs = lambda rng, *size: plain(rng, *size) | {"head_mask": rng.random((LAYERS, HEADS), np.float32)}
    return model


class Gated(torch.nn.Module):
    """A layer of attention whose heads are weighted, for each token, by what the layer's input says."""

    def __init__(self, spelling: str) -> None:
        super().__init__()
        self.qkv = torch.nn.Linear(HIDDEN, 3 * HIDDEN)
        self.gate = torch.nn.Linear(HIDDEN, HEADS)
        self.out = torch.nn.Linear(HIDDEN, HIDDEN)
        self.spelling = spelling

    def forward(self, x, mask):
        batch, sequence = x.shape[:2]
        q, k, v = (p.view(batch, sequence, HEADS, HEAD_DIM).transpose(1, 2) for p in self.qkv(x).chunk(3, -1))
        gate = torch.sigmoid(self.gate(x)).unsqueeze(-1)
        if self.spelling == "sdpa":
            heads = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2) * gate
        else:
            scores = (q @ k.transpose(2, 3) / HEAD_DIM**0.5).masked_fill(~mask, -torch.inf)
            heads = (torch.softmax(scores, -1) * gate.transpose(1, 2) @ v).transpose(1, 2)
        return x + self.out(heads.reshape(batch, sequence, HIDDEN))


class GatedEncoder(torch.nn.Module):
    def __init__(self, spelling: str) -> None:
        super().__init__()
        self.embeddings = torch.nn.Embedding(VOCABULARY, HIDDEN)
        self.layers = torch.nn.ModuleList(Gated(spelling) for _ in range(LAYERS))

    def forward(self, input_ids, attention_mask):
        x = self.embeddings(input_ids)
        for layer in self.layers:
            x = layer(x, attention_mask[:, None, None].bool())
        return x


def gated(attention: str) -> Model:
    model = encoder(torch.nn.Identity(), ["last_hidden_state"])
    model.module = GatedEncoder(attention)
    return model


def distilbert(attention: str) -> Model:
    config = transformers.DistilBertConfig(
        vocab_size=VOCABULARY, dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS, hidden_dim=INTERMEDIATE,
        max_position_embeddings=64, attn_implementation=attention
    )
    return encoder(transformers.DistilBertModel(config), ["last_hidden_state"])


class MeanPooled(torch.nn.Module):
    """A sentence encoder: BERT, the mean over the tokens, and L2 normalisation."""

    def __init__(self, bert: torch.nn.Module) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask, token_type_ids):
        hidden = self.bert(input_ids, attention_mask, token_type_ids).last_hidden_state
        mask = attention_mask.unsqueeze(-1).expand(hidden.size()).float()
        pooled = torch.sum(hidden * mask, 1) / torch.clamp(mask.sum(1), min=1e-9)
        return hidden, torch.nn.functional.normalize(pooled, p=2, dim=1)


def minilm(attention: str) -> Model:
    config = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=24, num_hidden_layers=LAYERS, num_attention_heads=12,
        intermediate_size=48, max_position_embeddings=64, attn_implementation=attention
    )
    model = encoder(torch.nn.Identity(), ["last_hidden_state", "sentence_embedding"], segments=True)
    model.module = MeanPooled(transformers.BertModel(config, add_pooling_layer=False))
    return model


def images(module: torch.nn.Module, outputs: list[str], side: int) -> Model:
    def inputs(rng, batch):
        return {"pixel_values": rng.standard_normal((batch, 3, side, side), np.float32)}

    axes = {name: {0: "batch"} for name in ["pixel_values", *outputs]}
    return Model(Call(module, ["pixel_values"], outputs), inputs, outputs, axes, ((2,), (3,)))


def vit(attention: str) -> Model:
    config = transformers.ViTConfig(
        hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INTERMEDIATE,
        image_size=24, patch_size=8, attn_implementation=attention
    )
    return images(transformers.ViTModel(config), ["last_hidden_state", "pooler_output"], 24)


def clip_text(attention: str) -> Model:
    config = transformers.CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        intermediate_size=INTERMEDIATE, max_position_embeddings=32, projection_dim=HIDDEN, eos_token_id=VOCABULARY - 1,
        attn_implementation=attention
    )
    return encoder(transformers.CLIPTextModelWithProjection(config), ["text_embeds", "last_hidden_state"])


def clip_vision(attention: str) -> Model:
    config = transformers.CLIPVisionConfig(
        hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INTERMEDIATE,
        image_size=24, patch_size=8, projection_dim=HIDDEN, attn_implementation=attention
    )
    return images(transformers.CLIPVisionModelWithProjection(config), ["image_embeds", "last_hidden_state"], 24)


def cache_of(layers) -> DynamicCache:
    """The cache that holds a pair of keys and values for each layer."""
    cache = DynamicCache()
    for layer, (key, value) in enumerate(layers):
        cache.update(key, value, layer)
    return cache


def layers_of(cache) -> list[tuple]:
    """The pair of keys and values of each layer."""
    return [tuple(layer)[:2] for layer in cache]


class CachedDecoder(torch.nn.Module):
    """A decoder that takes the keys and values of earlier tokens and gives those of all."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, input_ids, attention_mask, position_ids, *past):
        cache = tuple(zip(past[::2], past[1::2]))
        # Earlier versions of transformers have models that know tuples only.
        if getattr(self.module, "_supports_cache_class", True):
            cache = cache_of(cache)
        result = self.module(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, past_key_values=cache,
            use_cache=True
        )
        return result.logits, *(array for layer in layers_of(result.past_key_values) for array in layer)


def cache_names(prefix: str, kinds: tuple[str, ...] = ("key", "value")) -> list[str]:
    return [f"{prefix}.{layer}.{kind}" for layer in range(LAYERS) for kind in kinds]


def decoder(module: torch.nn.Module, cached: bool, heads: int, head_dim: int) -> Model:
    """A causal language model, without a cache or with one."""
    if not cached:
        model = encoder(module, ["logits"])
        model.module.fixed["use_cache"] = False
        model.dynamic_axes["logits"] = BATCH_SEQUENCE
        return model

    def inputs(rng, batch, sequence, past):
        arrays = tokens(rng, batch, sequence, "left", past)
        positions = np.maximum(np.cumsum(arrays["attention_mask"], 1) - 1, 0)
        arrays["position_ids"] = np.ascontiguousarray(positions[:, past:])
        for name in cache_names("past"):
            arrays[name] = rng.standard_normal((batch, heads, past, head_dim), np.float32)
        return arrays

    axes = {name: BATCH_SEQUENCE for name in ("input_ids", "position_ids", "logits")}
    axes["attention_mask"] = {0: "batch", 1: "total"}
    axes |= {name: {0: "batch", 2: "past"} for name in cache_names("past")}
    axes |= {name: {0: "batch", 2: "total"} for name in cache_names("present")}
    outputs = ["logits", *cache_names("present")]
    # The second size is a step of decoding.
    return Model(CachedDecoder(module), inputs, outputs, axes, ((3, 5, 7), (2, 1, 10)))


def gpt2(attention: str, cached: bool = False) -> Model:
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=HIDDEN, n_layer=LAYERS, n_head=HEADS, n_inner=INTERMEDIATE, n_positions=64,
        bos_token_id=0, eos_token_id=0, attn_implementation=attention
    )
    return decoder(transformers.GPT2LMHeadModel(config), cached, HEADS, HEAD_DIM)


def llama_like(
    attention: str, cached: bool = False, family: str = "Llama", heads: int = 4, key_heads: int = 2,
    head_dim: int = 8, hidden: int = HIDDEN, **changes
) -> Model:
    """Llama and what is built like it, with grouped key heads."""
    config = getattr(transformers, f"{family}Config")(
        vocab_size=VOCABULARY, hidden_size=hidden, num_hidden_layers=LAYERS, num_attention_heads=heads,
        num_key_value_heads=key_heads, intermediate_size=INTERMEDIATE, max_position_embeddings=64,
        bos_token_id=0, eos_token_id=0, attn_implementation=attention, head_dim=head_dim, **changes
    )
    return decoder(getattr(transformers, f"{family}ForCausalLM")(config), cached, key_heads, head_dim)


def whisper_config(attention: str) -> transformers.WhisperConfig:
    return transformers.WhisperConfig(
        vocab_size=VOCABULARY, d_model=HIDDEN, encoder_layers=LAYERS, decoder_layers=LAYERS,
        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=INTERMEDIATE,
        decoder_ffn_dim=INTERMEDIATE, num_mel_bins=16, max_source_positions=20, max_target_positions=32,
        bos_token_id=0, eos_token_id=0, pad_token_id=0, decoder_start_token_id=1, attn_implementation=attention
    )


def whisper_encoder(attention: str) -> Model:
    module = transformers.WhisperModel(whisper_config(attention)).encoder

    def inputs(rng, batch):
        return {"input_features": rng.standard_normal((batch, 16, 40), np.float32)}

    axes = {name: {0: "batch"} for name in ("input_features", "last_hidden_state")}
    return Model(Call(module, ["input_features"], ["last_hidden_state"]), inputs, ["last_hidden_state"], axes, ((2,), (3,)))


class WhisperDecoder(torch.nn.Module):
    """Whisper's decoder and its head. With a cache, keys and values of the encoder's states are in it, too."""

    def __init__(self, config: transformers.WhisperConfig, cached: bool) -> None:
        super().__init__()
        model = transformers.WhisperForConditionalGeneration(config)
        self.decoder, self.head, self.cached = model.model.decoder, model.proj_out, cached

    def forward(self, input_ids, encoder_hidden_states, *past):
        if not self.cached:
            result = self.decoder(input_ids, encoder_hidden_states=encoder_hidden_states, use_cache=False)
            return self.head(result.last_hidden_state)
        cache = EncoderDecoderCache(cache_of(zip(past[::4], past[1::4])), cache_of(zip(past[2::4], past[3::4])))
        result = self.decoder(
            input_ids, encoder_hidden_states=encoder_hidden_states, past_key_values=cache, use_cache=True
        )
        layers = layers_of(result.past_key_values.self_attention_cache)
        return self.head(result.last_hidden_state), *(array for layer in layers for array in layer)


def whisper_decoder(attention: str, cached: bool = False) -> Model:
    kinds = ("key", "value", "cross_key", "cross_value")

    def inputs(rng, batch, sequence, past):
        arrays = {
            "input_ids": rng.integers(1, VOCABULARY, (batch, sequence)),
            "encoder_hidden_states": rng.standard_normal((batch, 20, HIDDEN), np.float32),
        }
        for name in cache_names("past", kinds) if cached else []:
            keys = 20 if "cross" in name else past
            arrays[name] = rng.standard_normal((batch, HEADS, keys, HEAD_DIM), np.float32)
        return arrays

    axes = {"input_ids": BATCH_SEQUENCE, "logits": BATCH_SEQUENCE, "encoder_hidden_states": {0: "batch"}}
    outputs = ["logits"]
    if cached:
        outputs += cache_names("present")
        axes |= {name: {0: "batch"} if "cross" in name else {0: "batch", 2: "past"} for name in cache_names("past", kinds)}
        axes |= {name: {0: "batch", 2: "total"} for name in cache_names("present")}
    sizes = ((3, 5, 7), (2, 1, 10)) if cached else ((3, 5, 0), (2, 8, 0))
    return Model(WhisperDecoder(whisper_config(attention), cached), inputs, outputs, axes, sizes)


# SmolLM is Llama with tied embeddings and three query heads for a key head.
smollm = functools.partial(llama_like, heads=3, key_heads=1, hidden=24, tie_word_embeddings=True)
qwen2 = functools.partial(llama_like, family="Qwen2")
qwen3 = functools.partial(llama_like, family="Qwen3", head_dim=12)

FAMILIES = {
    "bert": bert,
    "gated": gated,
    "distilbert": distilbert,
    "minilm": minilm,
    "vit": vit,
    "clip-text": clip_text,
    "clip-vision": clip_vision,
    "gpt2": gpt2,
    "llama": llama_like,
    "qwen2": qwen2,
    "qwen3": qwen3,
    "smollm": smollm,
    "whisper-encoder": whisper_encoder,
    "whisper-decoder": whisper_decoder,
}
# In both of transformers' spellings of attention, and with a cache where the graph differs by it. With a mask of heads
# both are one.
TORCHSCRIPT = {
    f"{name}-{attention}": functools.partial(make, attention)
    for name, make in FAMILIES.items()
    for attention in ("sdpa", "eager")
} | {
    "bert-head-mask-eager": functools.partial(head_masked, "eager"),
    "gpt2-cached-sdpa": functools.partial(gpt2, "sdpa", cached=True),
    "gpt2-cached-eager": functools.partial(gpt2, "eager", cached=True),
    "llama-cached-sdpa": functools.partial(llama_like, "sdpa", cached=True),
    "qwen3-cached-sdpa": functools.partial(qwen3, "sdpa", cached=True),
    "whisper-decoder-cached-sdpa": functools.partial(whisper_decoder, "sdpa", cached=True),
    "whisper-decoder-cached-eager": functools.partial(whisper_decoder, "eager", cached=True),
}


def dynamo(make: Callable[..., Model], opset: int | None, *arguments, **keywords) -> Model:
    """The model as torch's exporter by tracing of bytecode takes it."""
    return dataclasses.replace(make(*arguments, **keywords), exporter="dynamo", opset=opset)


# Attention is one op from opset 23 on. With a mask of heads there is no model any more.
DYNAMO = {
    f"{name}-dynamo": functools.partial(dynamo, make, None) for name, make in TORCHSCRIPT.items() if "head-mask" not in name
} | {
    f"{name}-dynamo23": functools.partial(dynamo, TORCHSCRIPT[name], 23)
    for name in ("bert-sdpa", "gpt2-sdpa", "llama-cached-sdpa")
}
MODELS = TORCHSCRIPT | DYNAMO
