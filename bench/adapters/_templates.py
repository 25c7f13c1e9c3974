"""Chat templates are programs of whoever made the checkpoint: each use is bounded in time and memory."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from bench import limits
from bench.errors import BenchError

_ADVICE = "choose a prompt with chat: false (few-shot), or use another checkpoint"


def refuse_template(tokenizer: Any) -> None:
    """Raise BenchError if a tokenizer's chat template is too long, or could compute what no timer interrupts:
    arithmetic with numbers of a million digits. So there are no powers, also in the filter `round`, no other
    bases than 10, and of a product, quotient or remainder one side is a constant."""
    import jinja2
    from jinja2 import nodes
    from jinja2.ext import Extension
    from jinja2.parser import Parser

    class Generation(Extension):
        """A tag that transformers adds to the language."""

        tags = {"generation"}  # noqa: RUF012  (as jinja's own extensions do)

        def parse(self, parser: Parser) -> nodes.Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return nodes.Scope(body, lineno=line)

    try:
        template = tokenizer.get_chat_template()
        if len(template) > limits.TEMPLATE_CHARACTERS:
            raise _failure(f"it has more than {limits.TEMPLATE_CHARACTERS} characters")
        tree = jinja2.Environment(extensions=["jinja2.ext.loopcontrols", Generation]).parse(template)
        operations = [*tree.find_all(nodes.BinExpr), *tree.find_all(nodes.Filter)]
    except (ValueError, TypeError, jinja2.TemplateError, RecursionError) as error:
        raise _failure(str(error)) from None
    growing = (nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
    for operation in operations:
        unbounded = False
        if isinstance(operation, nodes.Filter):
            first = operation.args[0] if operation.args else None
            unbounded = {
                "round": bool(operation.args or operation.kwargs),
                "int": len(operation.args) > 1 or bool(operation.kwargs),
                "map": first is not None and getattr(first, "value", "int") in ("int", "round", "sum"),
                # lists are added one by one: quadratic, in C
                "sum": len(operation.args) > 1
                or any(argument.key == "start" for argument in operation.kwargs),
            }.get(operation.name, False) or bool(operation.dyn_args or operation.dyn_kwargs)
        elif isinstance(operation, nodes.BinExpr):
            constant = isinstance(operation.left, nodes.Const) or isinstance(operation.right, nodes.Const)
            is_growing = isinstance(operation, growing) and not constant
            unbounded = isinstance(operation, nodes.Pow) or is_growing
        if unbounded:
            raise _failure(f"line {operation.lineno}: arithmetic that could take for ever")


def render(tokenizer: Any, messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> str:
    """The prompt by the tokenizer's chat template, including the control tokens of an answer's beginning.

    Raises BenchError if the template fails, takes more than limits.TEMPLATE_SECONDS or TEMPLATE_BYTES, or
    adds more than limits.TEMPLATE_CHARACTERS.
    """
    try:
        with _bounded(limits.TEMPLATE_SECONDS, limits.TEMPLATE_BYTES):
            variables = {"add_generation_prompt": True, **options}
            text = tokenizer.apply_chat_template(messages, tokenize=False, **variables)
    except _OutOfTime:
        raise _failure(f"not finished after {limits.TEMPLATE_SECONDS:.0f} s") from None
    except MemoryError:
        raise _failure(f"needs more than {limits.TEMPLATE_BYTES // limits.MIB} MiB") from None
    except Exception as error:  # a template can raise anything
        raise _failure(str(error) or type(error).__name__) from None
    # A template may repeat a message.
    if len(text) > limits.TEMPLATE_CHARACTERS + 4 * sum(len(str(message["content"])) for message in messages):
        raise _failure(f"it adds more than {limits.TEMPLATE_CHARACTERS} characters")
    if any("\ud800" <= character <= "\udfff" for character in text):  # no tokenizer takes it
        raise _failure("it gives half a surrogate pair")
    return str(text)


class _OutOfTime(BaseException):
    """Not an Exception, which a library might catch."""


def _failure(reason: str) -> BenchError:
    message = " ".join(reason.split())[: limits.MESSAGE_CHARACTERS]
    return BenchError(f"The checkpoint's chat template fails ({message!r}): {_ADVICE}.")


@contextmanager
def _bounded(seconds: float, size: int) -> Iterator[None]:
    """Raise _OutOfTime after `seconds` and MemoryError after `size` more bytes.

    The timer works in the main thread only, the limit on Linux only (the address space of this process, which
    is what an engine has reserved and more, is read from /proc).
    """
    with _memory_limit(size), _timer(seconds):
        yield


@contextmanager
def _timer(seconds: float) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise _OutOfTime

    handler = signal.signal(signal.SIGALRM, stop)
    earlier = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if earlier[0]:  # somebody else's timer: it goes on, at most `seconds` late
            signal.setitimer(signal.ITIMER_REAL, *earlier)


@contextmanager
def _memory_limit(size: int) -> Iterator[None]:
    try:
        import resource

        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[0])
    except (ImportError, OSError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + size
    others = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([most, *others]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
