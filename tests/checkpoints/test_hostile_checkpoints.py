"""Checkpoints from strangers: nothing in a folder selects code, reads other files or takes the memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.adapters._requests import Limits, RequestTokenizer
from bench.checkpoints.safety import refuse_unsafe
from bench.core import Source
from bench.errors import BenchError
from bench.prompt import Prompt
from tests.helpers import tiny

PROMPT = Prompt("p", "Translate: {source}")


def change(path: Path, **values: Any) -> None:
    """Set fields of a JSON file, which is created if there is none."""
    content = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    path.write_text(json.dumps(content | values), encoding="utf-8")


CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("adapter_config.json", {"base_model_name_or_path": "gpt2"}),
    ("config.json", {"attn_implementation": "stranger/kernel"}),
    ("config.json", {"text_config": {"_attn_implementation": "stranger/kernel@main:f"}}),
    ("config.json", {"speculators_config": {"verifier": {"name_or_path": "gpt2"}}}),
    ("config.json", {"use_pretrained_backbone": True}),
    ("config.json", {"tokenizer_class": "AutoModelForCausalLM"}),
    ("config.json", {"configuration_files": ["../config.4.0.0.json"]}),
    ("config.json", {"num_hidden_layers": 10**6}),
    ("config.json", {"num_hidden_layers": "many"}),
    ("config.json", {"num_labels": 10**12}),
    ("config.json", {"num_experts": 10**9}),
    ("config.json", {"max_position_embeddings": "x"}),
    ("generation_config.json", {"num_beams": 10**6}),
    ("tokenizer_config.json", {"tokenizer_class": "pipeline"}),
    ("tokenizer_config.json", {"vocab_file": "/etc/passwd"}),
    ("tokenizer_config.json", {"tokenizer_file": "../config.4.0.0.json"}),
    ("tokenizer_config.json", {"init_inputs": ["/etc/passwd"]}),
    ("tokenizer_config.json", {"fast_tokenizer_files": ["../config.4.0.0.json"]}),
    ("model.safetensors.index.json", {"weight_map": {"a": "../model.safetensors"}}),
    ("model.safetensors.index.json", {"weight_map": {"a": "/model.safetensors"}}),
    ("router_config.json", {"types": {"a": "stranger.Module"}}),
    ("2_Dense/config.json", {"activation_function": "os.abort"}),
]


@pytest.mark.parametrize(("name", "values"), CONFIGS, ids=lambda value: str(value)[:60])
def test_a_config_that_selects_code_files_or_memory_is_refused(
    tmp_path: Path, name: str, values: dict[str, Any]
) -> None:
    folder = tmp_path / "checkpoint"
    (folder / "2_Dense").mkdir(parents=True)
    (tmp_path / "config.4.0.0.json").write_text("{}")
    change(folder / "config.json", model_type="qwen2", num_hidden_layers=2)
    refuse_unsafe(folder)
    change(folder / name, **values)
    with pytest.raises(BenchError, match="checkpoint"):
        refuse_unsafe(folder)


@pytest.mark.parametrize("content", ["1", "null", "true", '"text"'])
def test_a_config_that_is_no_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(BenchError, match="neither a JSON object nor a list"):
        refuse_unsafe(tmp_path)


def test_modules_of_the_folder_or_the_search_path_are_refused(tmp_path: Path) -> None:
    modules = tmp_path / "modules.json"
    modules.write_text('[{"path": "", "type": "sentence_transformers.models.Transformer"}]')
    refuse_unsafe(tmp_path)
    modules.write_text('[{"path": "", "type": "stranger.Module"}]')
    with pytest.raises(BenchError, match="asks for the code"):
        refuse_unsafe(tmp_path)


def test_links_may_lead_into_the_hub_cache_only(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--a--b" / "snapshots" / "0123"
    (tmp_path / "models--a--b" / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (tmp_path / "models--a--b" / "blobs" / "x").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/x")
    refuse_unsafe(snapshot)
    for target in ("/etc/passwd", "../../../../secret", "/dev/zero", "loop"):
        (snapshot / "loop").unlink(missing_ok=True)
        (snapshot / "loop").symlink_to(target)
        with pytest.raises(BenchError, match="link"):
            refuse_unsafe(snapshot)


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(BenchError, match="neither a file"):
        refuse_unsafe(tmp_path)


_AUDIT = """
import sys
from pathlib import Path
folder = sys.argv[1]
import torch, transformers, bench.adapters.llm
from bench.errors import BenchError
from bench.prompt import Prompt

seen = []
def record(event, arguments):
    named = str(arguments[0]) if arguments else ""
    if event in ("subprocess.Popen", "os.system", "socket.connect", "os.exec") and named != "lscpu":  # torch
        seen.append((event, named))
    if event == "open" and named.startswith(str(Path(folder).parent)) and not named.startswith(folder):
        seen.append((event, named))
    if event in ("exec", "import", "compile") and folder in (named + str(getattr(arguments[0], "co_filename", ""))):
        seen.append((event, named))

sys.addaudithook(record)
try:
    bench.adapters.llm.LLM(folder, Prompt("p", "{source}"), direction="zh-en").load()
except BenchError as error:
    print("refused:", error)
assert not seen, seen
"""


@pytest.mark.slow
def test_loading_runs_nothing_and_reads_nothing_else(tmp_path: Path) -> None:
    """With every trap that transformers ignores without trust_remote_code."""
    folder = tiny.qwen(tmp_path / "checkpoint")
    trap = "raise SystemExit('code of the checkpoint was run')\n"
    for name in ("modeling_evil.py", "tokenization_evil.py", "json.py", "sitecustomize.py", "__init__.py"):
        (folder / name).write_text(trap)
    change(
        folder / "config.json",
        auto_map={"AutoModelForCausalLM": "modeling_evil.M", "AutoConfig": "modeling_evil.C"},
    )
    change(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_evil.T", None]})
    done = subprocess.run(
        [sys.executable, "-c", _AUDIT, str(folder)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "refused" not in done.stdout


@pytest.mark.slow
def test_a_config_larger_than_the_weights_is_refused_before_anything_is_allocated(tmp_path: Path) -> None:
    from bench.checkpoints.loading import load_model

    folder = tiny.qwen(tmp_path / "checkpoint")
    for values in ({"hidden_size": 10**9}, {"vocab_size": 10**12}, {"intermediate_size": 10**10}):
        before = (folder / "config.json").read_text()
        change(folder / "config.json", **values)
        with pytest.raises(BenchError):
            load_model(folder, "AutoModelForCausalLM", "float32", "cpu")
        (folder / "config.json").write_text(before)


TEMPLATES = {
    "powers": "{{ 9 ** 9 ** 9 }}",
    "powers in a filter": "{{ 1|round(999999999, 'ceil') }}",
    "products": "{% set n = namespace(x=99) %}{% for i in range(999) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "memory": "{{ 'x' * 99999999999 }}",
    "output": "{{ 'word ' * 10000000 }}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "length": "{% if x %}{% endif %}" * 100_000,
    "syntax": "{% if %}",
    "half a surrogate pair": "\ud800",
    "nesting": "{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}",
    "hidden in a tag": "{% generation %}{{ 2 ** 3 }}{% endgeneration %}",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_chat_template_without_end_is_one_sentence(name: str) -> None:
    tokenizer = tiny.byte_level_tokenizer()
    tokenizer.chat_template = TEMPLATES[name]
    with pytest.raises(BenchError, match="chat template fails"):
        RequestTokenizer(tokenizer, PROMPT, Limits(), "zh-en").ids((Source("a", "中国"),))


def test_a_loop_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import limits

    monkeypatch.setattr(limits, "TEMPLATE_SECONDS", 0.2)
    tokenizer = tiny.byte_level_tokenizer()
    loop = "{% for a in range(99999) %}"
    tokenizer.chat_template = loop * 3 + "{% endfor %}" * 3
    with pytest.raises(BenchError, match="not finished"):
        RequestTokenizer(tokenizer, PROMPT, Limits(), "zh-en").ids((Source("a", "中国"),))


def test_the_message_of_a_template_is_quoted_without_control_characters() -> None:
    tokenizer = tiny.byte_level_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('no \x1b[31m system role') }}"
    with pytest.raises(BenchError, match=r"system role") as error:
        RequestTokenizer(tokenizer, PROMPT, Limits(), "zh-en").ids((Source("a", "中国"),))
    assert str(error.value).isprintable()
