"""The smallest random checkpoint of each architecture in configs/system/ through the llm adapter; transformers' own
generate is the judge. Encoder-decoders: test_seq2seq.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.adapters.llm import LLM
from tests.helpers.architectures import ARCHITECTURES, checkpoint, is_known
from tests.helpers.prompts import CHAT, sources

LIMITS: dict[str, Any] = {"max_new_tokens": 6, "tokens_base": 2, "tokens_ratio": {"zh-en": 0.2}}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_answer_is_that_of_generate_in_any_batch(name: str, tmp_path: Path) -> None:
    import torch

    if not is_known(name):
        pytest.skip("the installed transformers does not know this architecture: make transformers5")
    adapter = LLM(str(checkpoint(name, tmp_path)), CHAT, direction="zh-en", **LIMITS)
    adapter.load()
    given = sources("zh-en", 5)
    together = dict(adapter.translate(given))
    for source in given:
        assert dict(adapter.translate([source]))[source.id] == together[source.id], "it depends on the batch"
        prompt = torch.tensor([adapter._requests.ids((source,))])
        limit = adapter._requests.limit((source,))
        (answer,) = adapter._model.generate(
            prompt, attention_mask=torch.ones_like(prompt), do_sample=False, max_new_tokens=limit
        )
        expected = adapter._tokenizer.decode(answer[prompt.shape[1] :], skip_special_tokens=True)
        assert (together[source.id].raw or together[source.id].text).strip() == expected.strip()
    assert len({output.text for output in together.values()}) > 2, "the outputs must differ between prompts"
