"""Overrides of `bench run`, and yaml files of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from bench.launching.compose import compose
from bench.resources import data_dir
from tests.fuzz import mutations, prepared
from tests.fuzz.case import Case, Content

_RUN = ("run", "-q", "reference=set", "metric=[bleu]", "direction=zh-en", "store=store")
_NAMED = "system.name=mine"
_BASES = {
    "copy": ("system=copy",),
    "dictionary": ("system=dictionary",),
    "hypotheses": ("system=hypotheses", _NAMED, "system.adapter.path=out.txt"),
    # no request is sent and no model is loaded: what is valid here goes as far as the scores of a finished run
    "openai": ("system=openai", _NAMED, "system.adapter.model=m", "stages=[score]"),
    "llm": ("system=llm", _NAMED, "system.adapter.checkpoint=missing", "stages=[score]"),
    "seq2seq": ("system=seq2seq", _NAMED, "system.adapter.checkpoint=missing", "stages=[score]"),
    "ctranslate2": ("system=ctranslate2", _NAMED, "system.adapter.checkpoint=missing", "stages=[score]"),
    "vllm": ("system=vllm", _NAMED, "system.adapter.checkpoint=missing", "stages=[score]"),
}
_METRICS = ["bleu", "chrf", "ter", "terms", "comet", "comet-embedded", "xcomet-xl"]
_GROUPS = [
    "system",
    "metric",
    "suite",
    "prompt@system.adapter.prompt",
    "hydra/launcher",
    "hydra",
    "reference",
    "nothing",
]
_SPECIAL_KEYS = [
    "hydra.run.dir", "hydra.sweep.dir", "hydra.searchpath", "hydra.output_subdir", "hydra.verbose", "hydra.launcher._target_",
    "hydra.job.chdir", "hydra.callbacks.x._target_", "hydra.job.env_set.X", "system.adapter._target_", "metric.bleu._target_",
    "system.adapter._args_", "system.adapter._partial_", "system.adapter._convert_", "system.adapter._recursive_",
    "metric.mine", "metric.mine._target_", "system.card", "a.b.c", "", "a=b", "a b", "中", "system@x", "x@system",
]  # fmt: skip
_GRAMMAR = [
    "", "null", "true", "1", "-1", "0", "1.5", "1e999", "nan", "inf", "9" * 400, "[]", "{}", "[1,2]", "{a:1}", "[[[[]]]]",
    "[" * 900, "{", "'", '"', "\\", "a,b", "1,2,3", "choice(a,b)", "choice()", "range(1,4)", "range(1,100000000)",
    "range(0,1,0)", "interval(0,1)", "glob(*)", "glob([", "int(x)", "str(1)", "sort(1,a)", "shuffle(1,2)", "tag(a,b)",
    "extend_list(1)", "json_str({a:1})", "???", "a:b", "a b", "\ta", "a\nb", "x'", "\u202ea", "\x1b[31m", "中文", "../x",
    "/etc/passwd", "/", ".", "~", "~root", "file:///etc/passwd", "x" * 5_000, "${reference}", "${nothing}", "${oc.env:HOME}",
    "${oc.env:OPENAI_API_KEY}", "${oc.env:NOTHING}", "${oc.decode:'1'}", "${oc.create:{}}", "${hydra:job.num}", "${.}", "${..}",
    "${system.adapter}", "${", "os.system", "builtins.exec", "subprocess.Popen", "bench.adapters.copy.Copy", "bench.core.Task",
    "bench", "bench.nothing", "builtins.print", "math.sqrt",
]  # fmt: skip


def cases() -> st.SearchStrategy[Case]:
    configs = {name: _keys(base) for name, base in _BASES.items()}
    all_keys = sorted({key for keys in configs.values() for key in keys})
    return _overrides(configs, all_keys) | _config_dir()


def _keys(base: tuple[str, ...]) -> list[str]:
    config = compose([*base, "reference=set", "direction=zh-en", f"metric=[{','.join(_METRICS)}]"])
    return list(_dotted(config))


def _dotted(config: DictConfig, prefix: str = "") -> Any:
    for key in map(str, config):
        yield f"{prefix}{key}"
        if not OmegaConf.is_missing(config, key) and not OmegaConf.is_interpolation(config, key):
            node = config[key]
            if isinstance(node, DictConfig):
                yield from _dotted(node, f"{prefix}{key}.")


def _files() -> dict[str, Content]:
    return {**prepared.set_files(), "out.txt": prepared.OUTPUTS}


@st.composite
def _overrides(draw: st.DrawFn, configs: Mapping[str, list[str]], all_keys: list[str]) -> Case:
    system = draw(st.sampled_from(sorted(configs)))
    arguments = [*_RUN, *_BASES[system]]
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        key = draw(
            st.sampled_from(configs[system])
            | st.sampled_from(_GROUPS + _SPECIAL_KEYS)
            | st.sampled_from(all_keys)
        )
        if key.startswith("metric.") and key.split(".")[1] in _METRICS:
            arguments[3] = f"metric=[bleu,{key.split('.')[1]}]"
        prefix = draw(st.sampled_from(["", "", "", "+", "++", "~"]))
        spelling = draw(st.sampled_from(["{}", "{}", "{}", "{}", "{}x", "{}.x", "x{}"])).format(key)
        value = draw(st.sampled_from(_GRAMMAR) | mutations.texts)
        if "hydra/launcher" in key and value in ("joblib", "slurm"):
            continue
        arguments.append(
            f"{prefix}{spelling}={value}" if prefix != "~" or draw(st.booleans()) else f"~{spelling}"
        )
    arguments = [argument.replace("\0", "_") for argument in arguments]
    return Case(tuple(arguments), _files(), writes=("store",))


@st.composite
def _config_dir(draw: st.DrawFn) -> Case:
    group, name = draw(st.sampled_from([("system", "copy"), ("system", "hypotheses"), ("system", "llm"), ("suite", "offline"),
                                        ("metric", "bleu"), ("metric", "ter"), ("prompt", "few-shot"), ("prompt", "paragraph")]))  # fmt: skip
    data = (data_dir("configs") / group / f"{name}.yaml").read_bytes()
    files = {
        f"conf/{group}/mine.yaml": data.replace(b"metric.bleu", b"metric.mine").replace(
            b"metric.ter", b"metric.mine"
        )
    }
    changed = draw(mutations.files(files, links_out=False))
    chosen = {
        "system": (*_RUN, "system=mine", "stages=[score]"),
        "suite": (*_RUN, "suite=mine", "system=copy"),
        "metric": (
            "run",
            "-q",
            "reference=set",
            "metric=[mine]",
            "direction=zh-en",
            "store=store",
            "system=copy",
        ),
        "prompt": (*_RUN, *_BASES["llm"], "prompt@system.adapter.prompt=mine"),
    }[group]
    return Case(
        (*chosen, "--config-dir", "conf"), {**_files(), "conf/x": "folder", **changed}, writes=("store",)
    )
