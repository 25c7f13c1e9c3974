"""Reasoning and control tokens, as the chat templates of model families write them."""

from __future__ import annotations

import re

from bench.core import Removed

_NAMES = (
    r"(?!start_|end_|begin_of_)[\w:.-]{0,20}(?:think|thought|reason|reflect|scratchpad|monologue)[\w:.-]{0,20}"
    r"|analysis|internal|cot"
)
_PAIRS = tuple(
    (re.compile(start, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for start, end in (
        # Qwen, DeepSeek, GLM, Seed-OSS, EXAONE, Claude's documentation …
        (rf"<\|?\s?(?:{_NAMES})\s?\|?>", rf"<\|?\s?/\s?(?:{_NAMES})\s?\|?>"),
        (r"<details\b[^<>]{0,80}>", "</details>"),  # what Open WebUI makes of it
        (r"\[THINK\]", r"\[/THINK\]"),  # Magistral
        ("◁think▷", "◁/think▷"),  # Kimi-VL
        (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command A
        (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
        (r"<\|channel>thought\b", r"<channel\|>"),  # Gemma 4
        (r"<unused\d+>thought\b", r"<unused\d+>(?!thought)"),  # MedGemma
        # gpt-oss (harmony)
        (
            r"<\|channel\|>(?:analysis|commentary)[^<\n]{0,80}<\|message\|>",
            r"<\|end\|>|(?=<\|start\|>)|(?=<\|channel\|>final)",
        ),
    )
)
_ESCAPED_TAG = re.compile(r"&lt;(/?[\w:|]{1,40})&gt;")
_HARMONY_FINAL = "assistantfinal"
"""What is left of gpt-oss's <|start|>assistant<|channel|>final when special tokens are not decoded."""
_HARMONY_ANALYSIS = re.compile(r"""(?:analysis|commentary)(?=[A-Z"'“‘<\u3400-\u9fff])""")
_GRANITE = re.compile(r"Here is my thought process:.*?Here is my response:", re.DOTALL)

_START = re.compile(
    r"""(?:\s*(?:
        <\|start\|>assistant | <\|im_start\|>assistant | <\|start_header_id\|>assistant<\|end_header_id\|>
      | <start_of_turn>model | <\|turn>model | <\|assistant\|> | <｜Assistant｜> | \[/INST\]
      | <\|channel\|>final[^<\n]{0,80}<\|message\|> | <\|message\|> | <\|START_RESPONSE\|>
      | (?:assistant|model)(?=\n) | <s> | <bos> | <pad> | <\|begin_of_text\|> | <｜begin▁of▁sentence｜>
    ))+""",
    re.VERBOSE,
)
_END = re.compile(
    r"""<\|(?:im_end|eot_id|eom_id|end_of_text|endoftext|end|return|start|im_start|user|END_RESPONSE|
        END_OF_TURN_TOKEN)\|> | <end_of_turn> | <start_of_turn> | <turn\|> | <\|turn> | </s> | <eos> | <pad>
        | <｜end▁of▁sentence｜> | <｜User｜> | \[INST\]""",
    re.VERBOSE,
)


def without_reasoning(text: str, source: str) -> tuple[str, tuple[Removed, ...]]:
    """The text after (or before) the reasoning; "" if there is nothing else.

    A closing tag without its opening one ends reasoning: many templates open the tag in the prompt. If nothing
    follows it, it is not clear what the text before it is, and everything stays.
    """
    before = text
    if "&lt;" in text and "&lt;" not in source:
        text = _ESCAPED_TAG.sub(r"<\1>", text)
    for start, end in _PAIRS:
        if not start.search(source) and not end.search(source):
            text = _outside(text, start, end)
    if _HARMONY_FINAL in text and _HARMONY_FINAL not in source:
        text = text.rpartition(_HARMONY_FINAL)[2].strip()
    elif _HARMONY_ANALYSIS.match(text) and not _HARMONY_ANALYSIS.match(source):
        text = ""
    if granite := _GRANITE.match(text):
        text = text[granite.end() :].strip()
    return text, ("reasoning",) if text != before else ()


def without_control_tokens(text: str, source: str) -> tuple[str, tuple[Removed, ...]]:
    """The text between the tokens that begin and end an answer. What follows the end is another turn."""
    before = text
    if not _START.search(source) and (start := _START.match(text)):
        text = text[start.end() :]
    if not _END.search(source) and (end := _END.search(text)):
        text = text[: end.start()]
    text = text.strip()
    return text, ("control-token",) if text != before else ()


def has_tags(text: str, source: str) -> bool:
    """Whether a tag of reasoning is left that the source does not have."""
    tags = [pattern for pair in _PAIRS[:-1] for pattern in pair]
    return any(tag.search(text) and not tag.search(source) for tag in tags)


def _outside(text: str, start: re.Pattern[str], end: re.Pattern[str]) -> str:
    """The parts of `text` that are in no block, one per line."""
    tags = [(match, True) for match in start.finditer(text)] + [
        (match, False) for match in end.finditer(text)
    ]
    tags.sort(key=lambda tag: tag[0].start())
    parts: list[str] = []
    position, inside, end_of_text = 0, False, len(text.rstrip())
    for tag, opens in tags:
        if opens and not inside:
            parts.append(text[position : tag.start()])
            inside = True
        elif not opens and (inside or tag.end() < end_of_text):
            # An end without a beginning: of a block that the prompt has begun, or of a block inside a block.
            position, inside = tag.end(), False
        elif not opens and parts:
            parts.append(text[position : tag.start()])
            position = len(text)
    if not inside:
        parts.append(text[position:])
    return "\n".join(part.strip() for part in parts if part.strip())
