"""Whether a loaded model has the vocabulary's weights that its checkpoint holds.

The embeddings of a model and its output layer are often one matrix, which is then said to be tied. A config that says
so, and a file with two different matrices, contradict each other: transformers 4 then uses the embeddings for both,
and transformers 5 each as it is. One of them gives a broken model, without a word.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from bench.files import read_bytes

if TYPE_CHECKING:
    import torch

_FIELD = "tie_word_embeddings"


def check_ties(path: Path, model: Any) -> None:
    """Raise BenchError if the embeddings or the output layer of a model are not those of the checkpoint in `path`.

    If its config.json states that they are tied, they are, whatever the file holds.
    """
    config = model.config
    if getattr(config, "quantization_config", None) is not None:
        return  # the file holds other numbers than the model
    if not (getattr(config, "is_encoder_decoder", False) or getattr(config, _FIELD, False)):
        return  # nothing is tied
    embeddings, outputs = _names(model)
    held = dict(_tensors(path, embeddings | outputs))
    stated = _stated(path)
    if _differ(held, embeddings, outputs):
        if stated:
            model.tie_weights()  # transformers 4 has done so
            held = {name: held[name] for name in held.keys() & embeddings}
        elif stated is None and getattr(config, _FIELD, False):
            raise BenchError(
                f"The checkpoint in {path} does not say whether its output layer is tied to its embeddings, which have "
                f'other values: write "{_FIELD}": true into its config.json to use the embeddings for both, as '
                "transformers 4 does, or false to use both."
            )
    parameters = dict(model.named_parameters(remove_duplicate=False))
    wrong = [name for name in held if not _is_same(parameters[name], held[name])]
    if not stated and held.keys() & embeddings:
        shared = {id(parameters[name]) for name in outputs & held.keys()}
        wrong += [name for name in embeddings - held.keys() if id(parameters[name]) in shared]
    if wrong:
        raise BenchError(
            f"transformers {version('transformers')} fills {min(wrong)} with other values than the checkpoint in "
            f"{path} has: use another release (make bench installs 4.57, make transformers5 one of 5)."
        )


def _names(model: Any) -> tuple[set[str], set[str]]:
    """The names of the parameters that embed tokens, and of those that predict them. A shared one has several."""
    stacks = [model]
    for stack in ("get_encoder", "get_decoder"):
        with suppress(AttributeError, NotImplementedError):
            stacks.append(getattr(model, stack)())
    modules = [stack.get_input_embeddings() for stack in stacks if hasattr(stack, "get_input_embeddings")]
    inputs = {id(module.weight) for module in modules if hasattr(module, "weight")}
    output = getattr(model.get_output_embeddings(), "weight", None)
    parameters = list(model.named_parameters(remove_duplicate=False))
    outputs = {name for name, values in parameters if values is output and not _is_embedding(model, name)}
    return {name for name, values in parameters if id(values) in inputs} - outputs, outputs


def _is_embedding(model: Any, name: str) -> bool:
    import torch

    return isinstance(model.get_submodule(name.rpartition(".")[0]), torch.nn.Embedding)


def _differ(held: Mapping[str, torch.Tensor], embeddings: set[str], outputs: set[str]) -> bool:
    """Whether the file holds an output layer of the same shape as its embeddings, and other values. An encoder's
    embeddings may differ from a decoder's."""
    same_shape = [
        (held[output], held[name])
        for output in held.keys() & outputs
        for name in held.keys() & embeddings
        if held[output].shape == held[name].shape
    ]
    return bool(same_shape) and not any(_is_same(output, values) for output, values in same_shape)


def _is_same(values: torch.Tensor, stored: torch.Tensor) -> bool:
    import torch

    if values.device.type == "meta":  # moved to the disk: not here to compare
        return True
    return values.shape == stored.shape and torch.equal(values.detach().cpu(), stored.to(values.dtype))


def _stated(path: Path) -> bool | None:
    """What config.json itself says; None if it says nothing, and transformers assumes something."""
    config = json.loads(read_bytes(path / "config.json", advice="use another checkpoint"))
    values = [part.get(_FIELD) for part in (config, config.get("text_config")) if isinstance(part, dict)]
    return next((bool(value) for value in values if value is not None), None)


def _tensors(path: Path, names: Collection[str]) -> Iterator[tuple[str, torch.Tensor]]:
    """Those of the names that the files of a checkpoint hold, on the CPU."""
    import torch
    from safetensors import safe_open

    files = sorted(path.glob("*.safetensors"))
    for file in files:
        with safe_open(file, "pt") as tensors:
            for name in sorted(set(names) & set(tensors.keys())):
                yield name, tensors.get_tensor(name)
    for file in [] if files else sorted(path.glob("pytorch_model*.bin")):
        stored = torch.load(file, map_location="cpu", weights_only=True)
        for name in sorted(set(names) & set(stored)):
            yield name, stored[name]
