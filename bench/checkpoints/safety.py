"""What is refused in a checkpoint's folder before a library reads it: the folder may come from a stranger.

Weights and configs must not select code, lead to files outside the folder, or make a library allocate what
the weights do not have. All loaders call `refuse_unsafe`: transformers, CTranslate2, vLLM, COMET and
sentence-transformers.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from bench import limits
from bench.errors import BenchError
from bench.files import read_bytes

_ADVICE = "use a checkpoint without it"

_BOUNDS = (
    (re.compile(r"(^|_)(n_layers?|\w*layers|depth)$"), limits.CHECKPOINT_LAYERS),
    (re.compile(r"^n(um)?_\w*experts"), limits.CHECKPOINT_LAYERS),
    (re.compile(r"^(num|n)_labels$"), limits.CHECKPOINT_LABELS),
    (re.compile(r"^num_(beams|beam_groups|return_sequences)$"), limits.CHECKPOINT_BEAMS),
)
"""Fields of a config, and their largest value: libraries loop over them before they allocate anything. What a
model allocates is bounded by `refuse_oversized`."""
_WHOLE_NUMBERS = frozenset(
    "num_hidden_layers num_layers n_layer encoder_layers decoder_layers num_labels num_beams vocab_size d_model "
    "hidden_size max_position_embeddings n_positions sliding_window".split()
)
"""Fields that this project or a library compares with numbers."""

_PATHS = ("configuration_files", "transformers_weights")
"""Fields of config.json that name files."""
_NO_PATHS = re.compile(
    r"(_)?name_or_path|special_tokens_map_file|chat_template|\w+_tokens?|tokenizer_class|added_tokens_decoder"
)
"""Fields of tokenizer_config.json whose values transformers opens in no case."""

_LIBRARY_CLASS = re.compile(r"(sentence_transformers|torch\.nn)(\.\w+)+|\w*")
"""The class of a module in modules.json, router_config.json or the config of a Dense module."""


def refuse_unsafe(folder: Path) -> None:
    """Raise BenchError if a checkpoint's folder has what could run code, read other files or never end.

    Refused, with the version of the library whose source was read:

    - links out of the folder (of a hub cache: out of the repository's folder in it), devices, FIFOs;
    - `custom_generate/`: run without trust_remote_code (transformers 4.57, PreTrainedModel.from_pretrained);
    - `adapter_config.json`: with peft, the checkpoint that it names is loaded (4.57, _BaseAutoModelClass);
    - `attn_implementation: org/kernel` in a config: code from the hub (4.57, integrations/hub_kernels.py);
    - `speculators_config` in a config: vLLM loads the model that it names (transformers_utils/config.py);
    - `use_pretrained_backbone` in a config: weights from the hub (4.57, utils/backbone_utils.py);
    - a class name in a config that is none of transformers' tokenizers (4.57, tokenizer_class_from_name), or
      of sentence-transformers' modules or torch.nn: any module on the search path or in the folder would be
      imported (sentence-transformers 5.7, import_module_class);
    - names of files that lead out of the folder: shards (4.57, get_checkpoint_shard_files), vocabularies and
      `init_inputs` (PreTrainedTokenizerBase._from_pretrained), `fast_tokenizer_files`, `configuration_files`,
      paths of modules;
    - numbers of layers, experts, labels and beams beyond bench.limits, and sizes that are no numbers.

    `auto_map` does nothing without trust_remote_code, which is never set. A `quantization_config` chooses
    among the quantisers that transformers ships or that are installed. Chat templates: see
    bench.adapters._templates.
    """
    folder = folder.resolve()
    for path in _entries(folder):
        inside = path.relative_to(folder)
        if inside.parts[0] == "custom_generate":
            _refuse(folder, "contains code (custom_generate), which is never run here", "delete that folder")
        if inside.name == "adapter_config.json":
            _refuse(folder, "is an adapter (adapter_config.json) of another checkpoint", "merge the two")
        if path.suffix == ".json" and (
            "config" in path.name or path.name.endswith(("index.json", "modules.json"))
        ):
            _check_config(folder, path)


def refuse_numbers(config: Mapping[str, Any], label: str) -> None:
    """Raise BenchError if a config has more layers, experts, labels or beams than bench.limits allow, or a
    size that is no whole number. `label` is the subject of the message."""
    for key, value in _fields(config):
        largest = min((bound for pattern, bound in _BOUNDS if pattern.search(key)), default=1 << 62)
        is_number = isinstance(value, int) and -1 <= value <= largest
        if key == "length_penalty" and isinstance(value, (str, list)):
            raise BenchError(f"{label} has {key}={str(value)[:40]}, not a number: use another checkpoint.")
        if not is_number and (isinstance(value, int) or (key in _WHOLE_NUMBERS and value is not None)):
            raise BenchError(
                f"{label} has {key}={str(value)[:40]}, not a whole number up to {largest}: "
                "use another checkpoint."
            )


def refuse_oversized(parameters: int, weights: int, label: str, quantised: bool = False) -> None:
    """Raise BenchError if a model has more parameters than `weights` bytes can hold: at most one per byte, or
    eight in a quantised checkpoint. A library would allocate them all before it misses the rest."""
    if parameters > (8 if quantised else 1) * weights + limits.UNBACKED_PARAMETERS:
        raise BenchError(
            f"The config of {label} asks for {parameters:,} parameters, more than its weights "
            f"({weights:,} bytes) can hold: get the checkpoint again."
        )


def model_parameters(model_class: Any, config: Any) -> int:
    """The number of parameters and computed values of a config's model, without allocating them; 0 if the
    model cannot be built that way."""
    import torch

    try:
        from transformers.initialization import no_init_weights  # since 5.0
    except ImportError:
        from transformers.modeling_utils import no_init_weights

    try:
        with torch.device("meta"), no_init_weights():
            is_automatic = hasattr(model_class, "from_config")
            model = (
                model_class.from_config(config, trust_remote_code=False)
                if is_automatic
                else model_class(config)
            )
    except NotImplementedError:
        return 0
    return sum(values.numel() for values in (*model.parameters(), *model.buffers()))


@contextmanager
def load_errors(path: Path) -> Iterator[None]:
    """Turn any error of a library into a BenchError."""
    try:
        yield
    except BenchError:
        raise
    except BaseException as error:  # without a valid checkpoint the libraries fail in many ways
        # tokenizers is written in Rust, whose panics are no Exception
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = str(error).strip().partition("\n")[0][: limits.MESSAGE_CHARACTERS]
        if "does not recognize this architecture" in str(error):
            raise BenchError(
                f"The checkpoint in {path} has an architecture that transformers {version('transformers')} does not "
                "know: use a newer release (make transformers5 makes an environment with one)."
            ) from error
        raise BenchError(
            f"The checkpoint in {path} cannot be loaded: {reason or type(error).__name__}"
        ) from error


def silence_transformers() -> None:
    """Neither its warnings nor its progress bars: what matters is checked here. Of every local tokenizer but one it
    says that it splits wrongly; ours have their own tokenizer.json."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _refuse(folder: Path, fault: str, remedy: str = "") -> None:
    raise BenchError(f"The checkpoint in {folder} {fault}: {_ADVICE}{f', or {remedy}' if remedy else ''}.")


def _entries(folder: Path) -> Iterator[Path]:
    """All files and folders, except in hidden folders, which no library reads (.git, .cache)."""
    # <cache>/models--org--name/snapshots/<commit>/config.json -> ../../blobs/<hash>
    is_snapshot = folder.parent.name == "snapshots" and folder.parents[1].name.startswith("models--")
    root = folder.parents[1] if is_snapshot else folder
    count = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *sorted(files)):
            count += 1
            if count > limits.CHECKPOINT_FILES:
                _refuse(
                    folder, f"has more than {limits.CHECKPOINT_FILES} files", "move it out of that folder"
                )
            path = Path(parent, name)
            try:
                target = path.resolve(strict=True)
            except (OSError, RuntimeError):  # a dangling link, a loop of links
                _refuse(folder, f"has a broken link ({name})", "delete the link")
            if not target.is_relative_to(root):
                _refuse(folder, f"has a link that leads out of it ({name})", "copy the file to its place")
            if not target.is_file() and (path.is_symlink() or not target.is_dir()):
                _refuse(folder, f"has {name}, which is neither a file nor a folder", "delete it")
            yield path


def _check_config(folder: Path, path: Path) -> None:
    try:
        # not strict: published configs have Infinity
        config = json.loads(read_bytes(path, advice="use another checkpoint"))
        fields = list(_fields(config))
    except (ValueError, RecursionError):
        raise BenchError(f"{path} is not JSON: get the checkpoint again.") from None
    if path.name.endswith("index.json"):
        shards = config.get("weight_map") if isinstance(config, dict) else None
        for name in set(map(str, shards.values())) if isinstance(shards, dict) else ():
            if name != PurePath(name).name or name in (".", ".."):
                _refuse(folder, f"names the file {name[:80]!r} outside its folder ({path.name})")
        return
    for key, value in fields:
        if not isinstance(value, str):
            if key == "use_pretrained_backbone" and value:
                _refuse(folder, f"asks for weights that are elsewhere ({key} in {path.name})")
            continue
        if key.endswith("attn_implementation") and "/" in value:
            _refuse(folder, f"asks for code from the hub ({key}: {value[:80]!r} in {path.name})")
        is_class = key in ("type", "types", "activation_function") or key.endswith("_class")
        if is_class and not _LIBRARY_CLASS.fullmatch(value):
            _refuse(folder, f"asks for the code {value[:80]!r} ({path.name})")
        if key == "tokenizer_class" and value and "Tokenizer" not in value:
            _refuse(folder, f"has the tokenizer class {value[:80]!r}, which is none ({path.name})")
    if not isinstance(config, (dict, list)):
        raise BenchError(f"{path} is neither a JSON object nor a list: get the checkpoint again.")
    if isinstance(config, list):
        names = [str(module.get("path", "")) for module in config if isinstance(module, dict)]
    elif path.name.startswith("tokenizer_config"):
        names = [
            name for key, value in config.items() if not _NO_PATHS.fullmatch(key) for name in _texts(value)
        ]
    else:
        names = [name for key in _PATHS for name in _texts(config.get(key))]
        if "speculators_config" in config:
            _refuse(folder, f"names another checkpoint (speculators_config in {path.name})")
        refuse_numbers(config, str(path))
    for name in names:
        if any(_leads_out(base / name, folder) for base in (folder, Path.cwd())):
            _refuse(folder, f"names the file {name[:80]!r} outside its folder ({path.name})")


def _fields(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a decoded JSON file with the nearest key above it."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _fields(item, key if key == "types" else name)
    elif isinstance(value, list):
        yield key, value
        for item in value:
            if isinstance(item, (dict, list, str)):
                yield from _fields(item, key)
    else:
        yield key, value


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and len(item) < 4096 and "\0" not in item]


def _leads_out(path: Path, folder: Path) -> bool:
    """Whether there is a file outside the folder by this name. Not a folder: "left" may well be one, too."""
    try:
        target = path.resolve()
        return not target.is_relative_to(folder) and target.exists() and not target.is_dir()
    except (OSError, RuntimeError, ValueError):
        return False
