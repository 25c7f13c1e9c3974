"""Files of a tiny checkpoint: config, tokenizer, chat template, weights."""

from __future__ import annotations

import json
from functools import cache

from hypothesis import strategies as st

from tests.fuzz import mutations, prepared
from tests.fuzz.case import Case, Content, read_files
from tests.helpers import tiny

_TEMPLATES = [
    "", "{{", "{% for m in messages %}", "{{ messages[0]['content'] }}", "{{ x.y.z }}", "{{ messages[99]['content'] }}",
    "{{ raise_exception('\x1b[31mno') }}", "{{ ''.__class__.__mro__ }}", "{{ cycler.__init__.__globals__.os.system('id') }}",
    "{% for i in range(99999) %}x{% endfor %}", "{% for i in range(10**9) %}{% endfor %}", "{{ 'x' * 10**10 }}", "{{ 9 ** 9 ** 9 }}",
    "{% include '/etc/passwd' %}", "{% import 'x' as y %}", "{{ messages | tojson }}", "\ud800", "{{ '%s' % messages }}", "中",
]  # fmt: skip


@cache
def _valid() -> dict[str, Content]:
    import torch
    from transformers import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    folder = tiny.qwen(prepared.folder() / "model", num_hidden_layers=1)
    return {f"model/{name}": data for name, data in read_files(folder).items()}


@st.composite
def _case(draw: st.DrawFn) -> Case:
    valid = _valid()
    if draw(st.booleans()):  # files of a checkpoint may be links: those of the hub cache are
        changed = draw(mutations.files(valid, lambda name: "tokenizer.json" not in name, links_out=False))
    else:
        template = draw(st.sampled_from(_TEMPLATES) | mutations.texts)
        changed = {**valid, "model/chat_template.jinja": template.encode("utf-8", "surrogatepass")}
        if draw(st.booleans()):
            settings = json.loads(valid["model/tokenizer_config.json"])
            del changed["model/chat_template.jinja"]
            changed["model/tokenizer_config.json"] = mutations.to_json(
                {**settings, "chat_template": template}
            )
    return Case(("translate", "llm", "model"), {**prepared.set_files(), **changed}, ("store",))


def cases() -> st.SearchStrategy[Case]:
    return _case()
