"""Wrong settings: one sentence that names the key, exit code 2, and nothing is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bench.launching import interpolation
from bench.launching.compose import compose
from tests.helpers.command import invoke
from tests.helpers.configs import write_yaml

COPY = ["system=copy", "direction=zh-en", "metric=[chrf]"]
OPENAI = ["system=openai", "system.name=x", "system.adapter.model=m", "direction=zh-en", "metric=[chrf]"]
LLM = ["system=llm", "system.name=x", "system.adapter.checkpoint=org/x@" + 40 * "a", "direction=zh-en"]
SEQ = ["system=seq2seq", "system.name=x", "system.adapter.checkpoint=org/x@" + 40 * "a", "direction=zh-en"]

TOP = [
    # (override, what the sentence contains)
    ("direction=foo", "direction must be one of zh-en, en-zh"),
    ("direction=zh-cn", "direction must be one of"),
    ("direction=null", "direction must be"),
    ("direction=1", "direction must be"),
    ("direction=[zh-en]", "direction must be"),
    ("reference=''", "reference must be a text"),
    ("reference=null", "reference must be a text"),
    ("reference=5", "reference must be a text"),
    ("reference=[a]", "reference must be a text"),
    ("reference=nosuch", "nosuch"),
    ("reference=/dev/zero", "/dev/zero"),
    ("reference=/", "No reference set '/'"),
    ("reference=/tmp", "/tmp"),
    ("reference='~nouser/x'", "reference must be a path"),
    ("reference=" + 5000 * "x", "reference must be"),
    ("reference=" + 300 * "x", "reference must be"),
    ('reference="a\0b"', "reference must be a text without NUL"),
    ("reference=sacrebleu:nosuch", "'nosuch'"),
    ("reference=a,b", "one value for each of reference"),
    ("granularity=word", "granularity must be one of sentence, paragraph, document"),
    ("granularity=sentense", "perhaps sentence"),
    ("granularity=null", "granularity must be"),
    ("store=''", "store must be a text"),
    ("store=null", "store must be a text"),
    ("store=5", "store must be a text"),
    ("store=/proc/x", "store must be a folder"),
    ("store=/dev/null", "store must be a folder"),
    ("store=/dev/null/x", "store must be a folder"),
    ("store=a-file", "store must be a folder"),
    ("store=a-file/x", "store must be a folder"),
    ("store=" + 300 * "x", "store must be"),
    ("store=" + 5000 * "x/", "store must be"),
    ("store='~nouser/x'", "store must be a path"),
    ("stages=foo", "stages must be a list"),
    ("stages=[foo]", "stages[0] must be one of translate, score"),
    ("stages=[scor]", "perhaps score"),
    ("stages=null", "stages must be a list"),
    ("stages={a: 1}", "stages cannot have a value of this kind"),
    ("shards=0", "shards must be a whole number >= 1"),
    ("shards=-3", "shards must be"),
    ("shards=100000000", "shards must be a whole number <= 1000"),
    ("shards=1.5", "shards must be a whole number"),
    ("shards=true", "shards must be a whole number"),
    ("shards=two", "shards must be a whole number"),
    ("shards=1,2", "shards takes one value"),
    ("shard=3", "shard must be less than shards, which is 1"),
    ("+metric.chrf.resources={gpu: 2, memory: 40}", "metric.chrf.resources.gpu is not a setting: use one of"),
    ("metric.chrf.resources.mem=40", "metric.chrf.resources.mem is not a setting: use metric.chrf.resources.mem_gb"),
    ("hydra/launcher=slurm hydra.launcher.partion=gpu", "hydra.launcher.partion is not a setting here"),
    ("stages=[translate,translate]", "stages has a stage twice"),
    ("batch_tokens=-1", "batch_tokens must be a whole number >= 1"),
    ("batch_tokens=0", "batch_tokens must be"),
    ("batch_tokens=1e9", "batch_tokens must be a whole number"),
    ("batch_tokens=100000000000", "batch_tokens must be a whole number <= 100000000"),
    ("batch_tokens=" + 30 * "9", "batch_tokens must be a number of at most 63 bits"),
    ("batch_tokens=" + 5000 * "9", "batch_tokens"),
    ("batch_tokens=interval(1,9)", "batch_tokens"),
    ("compare.trials=100000000000", "compare.trials must be a whole number <= 1000000"),
    ("compare.trials=0", "compare.trials must be"),
    ("compare.trials=1e3", "compare.trials must be a whole number"),
    ("compare.test=t-test", "compare.test must be one of randomisation, bootstrap"),
    ("compare.test=[a]", "compare.test must be"),
    ("compare.unit=word", "compare.unit must be one of document, section, paragraph, segment"),
    ("compare.sampels=5", "compare.sampels is not a setting"),
    ("+compare.trial=5", "compare.trial is not a setting: use compare.trials"),
    ("compare=null", "compare must be a mapping"),
    ("compare=5", "compare"),
    ("~compare.test", "compare.test is missing"),
    ("quiet=maybe", "quiet must be true or false"),
    ("quiet=1", "quiet must be true or false"),
    ("+foo=1", "foo is not a setting"),
    ("foo=1", "foo is not a setting"),
    ("+directions=zh-en", "directions is not a setting: use direction"),
    ("batch_token=5", "batch_token is not a setting: use batch_tokens"),
    ("+hydra=5", "hydra"),
    ("~store", "store is missing"),
    ("~reference", "reference is missing"),
    ("~nosuch", "nosuch"),
    ("suite=nosuch", "There is no suite 'nosuch'"),
    ("suite=offlin", "use offline"),
    ("suite=gpu,offline", "suite takes one value"),
    ("suite.systems=copy", "suite.systems must be a list"),
    ("suite.systems=[]", "suite.systems must be"),
    ("suite.systems=['a b']", "suite.systems"),
    ("suite.systems=[../x]", "suite.systems"),
    ("suite.primary=5", "suite.primary must be a text"),
    ("suite.primary=nope", "suite.primary=nope is not a metric: use one of bleu"),
    ("suite.primary=blue", "suite.primary=blue is not a metric: use bleu"),
    ("suite.directions=[zh]", "suite.directions[0] must be one of"),
    ("+suite.system=copy", "suite.system is not a setting: use suite.systems"),
    ("metric=[]", "metric is empty"),
    ("metric=null", "metric must be the name of a file"),
    ("metric=[nosuch]", "There is no metric 'nosuch'"),
    ("metric=[chrff]", "use chrf"),
    ("metric=[../../x]", "metric must be the name of a file"),
    ("metric=[/etc/x]", "metric must be the name of a file"),
    ("metric.chrf=5", "metric.chrf describes no scorer"),
    ("metric.chrf=null", "metric.chrf describes no scorer"),
    ("+metric.x=1", "metric.x describes no scorer"),
    ("metric.chrf.metric=foo", "metric.chrf.metric must be one of BLEU, chrF, chrF++, TER"),
    ("~metric.chrf.metric", "metric.chrf.metric is missing"),
    ("metric.chrf._target_=os.system", "metric.chrf._target_ must be a scorer in bench.scorers"),
    ("metric.chrf._target_=bench.launching.launch.subprocess.run", "metric.chrf._target_ must be"),
    ("metric.chrf._target_=bench.adapters.copy.Copy", "metric.chrf._target_ must be"),
    ("metric.chrf._target_=bench.scorers.sacre.Nothing", "metric.chrf._target_ cannot be imported"),
    ("metric.chrf._target_=bench.scorers.sacre.Path", "metric.chrf._target_"),
    ("metric.chrf._target_=bench.scorers.sacre.Scorer", "metric.chrf._target_"),
    ("metric.chrf._target_=bench.__main__.main", "metric.chrf._target_ must be"),
    ("metric.chrf._target_=x", "metric.chrf._target_"),
    ("metric.chrf._target_=null", "metric.chrf._target_"),
    ("~metric.chrf._target_", "metric.chrf._target_ is missing"),
    ("+metric.chrf._args_=[1]", "metric.chrf._args_ is not a setting"),
    ("+metric.chrf._partial_=true", "metric.chrf._partial_ is not a setting"),
    ("+metric.chrf._recursive_=false", "metric.chrf._recursive_ is not a setting"),
    ("+metric.chrf._convert_=none", "metric.chrf._convert_ is not a setting"),
    ("metric.chrf.metric={_target_: os.system, command: id}", "metric.chrf.metric"),
    ("metric.chrf.resources={_target_: os.getcwd}", "metric.chrf.resources"),
    ("metric.chrf.resources=5", "metric.chrf.resources must be a mapping"),
    ("system.name=null", "system.name must be a text"),
    ("system.name=''", "system.name"),
    ("system.name=../x", "system.name"),
    ("system.name=" + 200 * "x", "system.name"),
    ("system.name=[x]", "system.name must be a text"),
    ("system.control=perhaps", "system.control must be true or false"),
    ("+system.size=[7]", "system.size must be a text or null"),
    ("+system.label=" + 3000 * "x", "system.label must be a text"),
    ('+system.label="a\tb"', "system.label must be a short text without control characters"),
    ("+system.relased=2024", "system.relased is not a setting: use system.released"),
    ("system.resources=5", "system.resources must be a mapping"),
    ("system.resources.mem_gb=nan", "system.resources.mem_gb must be a finite number"),
    ("+system.price={input: 1}", "system.price.output is missing"),
    ("+system.price={input: -1, output: 1}", "system.price.input must be a number >= 0"),
    ("+system.price={input: inf, output: 1}", "system.price.input must be a finite number"),
    ("+system.price={inptu: 1, output: 1}", "system.price.inptu is not a setting: use system.price.input"),
    ("+system.price=5", "system.price"),
    ("system=null", "system must be the name of a file"),
    ("system=nosuch", "There is no system 'nosuch'"),
    ("system=copi", "use copy"),
    ("system=../suite/offline", "system must be the name of a file"),
    ("system=/etc/passwd", "system must be the name of a file"),
    ("system=''", "system"),
    ("system=glob(*)", "system has a glob"),
    ("~system", "system is missing"),
    ("~system.adapter", "system.adapter is missing"),
    ("system.adapter=5", "system.adapter"),
    ("system.adapter._target_=os.system", "system.adapter._target_ must be an adapter in bench.adapters"),
    ("system.adapter._target_=bench.adapters.copy.Adapter", "system.adapter._target_"),
    ("system.adapter._target_=bench.core.Adapter", "system.adapter._target_ must be"),
    ("system.adapter._target_=bench.adapters._language_model.LanguageModelAdapter", "system.adapter._target_"),
    ("system.adapter._target_=bench.scorers.sacre.Sacre", "system.adapter._target_ must be"),
    ("system.adapter._target_=bench.launching.launch.subprocess.run", "system.adapter._target_ must be"),
    ("system.adapter._target_=bench.adapters.dictionary.re.compile", "system.adapter._target_ cannot be imported"),
    ("system.adapter._target_='${reference}'", "system.adapter._target_"),
    ("+system.adapter.direction=zh-en", "system.adapter.direction is not a setting"),
    ("+system.adapter.foo=1", "system.adapter.foo is not a setting: remove it"),
    ("+system.adapter.x={_target_: os.system}", "system.adapter.x"),
    ("+system.adapter.x={y: {_target_: os.system}}", "system.adapter.x.y._target_ is not a setting"),
    ("+x.y={_target_: os.system}", "x.y._target_ is not a setting"),
    ("hydra.launcher._target_=os.system", "hydra.launcher._target_"),
    ("+hydra.callbacks.x._target_=os.system", "hydra.callbacks.x._target_"),
    ("hydra/launcher=nosuch", "hydra/launcher"),
    ("hydra/launcher=../../x", "hydra/launcher must be"),
    ("hydra.searchpath=[pkg://os]", "hydra.searchpath must be a list of folders"),
    ("hydra.searchpath=[file:///nosuch]", "hydra.searchpath must be a list of folders"),
    ("hydra.searchpath=x", "hydra.searchpath"),
    ("hydra.nosuch=1", "hydra.nosuch"),
    ("hydra.launcher.nosuch=1", "hydra.launcher.nosuch"),
    ("hydra.launcher.n_jobs=100000000 hydra/launcher=gpus", "hydra.launcher.n_jobs must be"),
    ("hydra.launcher.n_jobs=0 hydra/launcher=gpus", "hydra.launcher.n_jobs must be"),
    ("hydra={searchpath: [pkg://os]}", "hydra is not a setting"),
    ("+hydra={callbacks: {x: {_target_: os.getcwd}}}", "hydra is not a setting"),
    ("++hydra.hydra_logging.handlers.x={'()': os.getcwd}", "hydra.hydra_logging.handlers.x"),
    ("+hydra.hydra_logging.handlers={x: {class: os.getcwd}}", "hydra.hydra_logging.handlers is not a setting"),
    ("+hydra.job_logging.root.x=ext://os.getcwd", "hydra.job_logging.root.x is not a setting"),
    ("hydra/job_logging=default", "hydra/job_logging is not a setting"),
    ("hydra/sweeper=basic", "hydra/sweeper is not a setting"),
    ("hydra.sweeper._target_=hydra._internal.core_plugins.basic_launcher.BasicLauncher", "is not a setting"),
    ("hydra.job.env_set={PATH: x}", "hydra.job.env_set is not a setting"),
    ("hydra.run.dir=/tmp/x", "hydra.run.dir is not a setting"),
    ("+prompt@hydra.launcher=translate", "is not a setting"),
    ("~hydra.launcher", "is not a setting"),
    # more jobs than a run has
    ("system=" + ",".join(["copy"] * 20_001), "system"),
    ("system=" + ",".join(["copy"] * 40_001), "too many values"),
    ("batch_tokens=range(1,1000000000)", "batch_tokens has a range"),
    ("batch_tokens=shuffle(range(1,1000000000))", "batch_tokens has a range"),
    ("batch_tokens=range(5,1)", "batch_tokens has a range"),
    ("batch_tokens=range(1,5,0)", "batch_tokens has a range"),
    ("batch_tokens=range(1,6000) +system.label=range(0,6000)", "35994000 jobs"),
    ("reference=" + 600_000 * "x", "characters"),
    # what cannot be read
    ("foo", "'foo' cannot be read"),
    ("=", "is not a setting"),
    ("a=[", "'a=[' cannot be read"),
    ("a={", "cannot be read"),
    ("a=" + 400 * "[", "cannot be read"),
    ("a=" + 100 * "[" + 100 * "]", "a"),
    ("a=foo(1)", "cannot be read"),
    # interpolations
    ("store=${oc.decode:x}", "store"),
    ("store='${oc.decode:x}'", "store has a ${…} that is not allowed"),
    ("store='${oc.create:x}'", "store has a ${…} that is not allowed"),
    ("store='${hydra:job.num}'", "store has a ${…} that is not allowed"),
    ("store='${now:%Y}'", "store has a ${…} that is not allowed"),
    ("store='${oc.${granularity}:HOME}'", "store"),
    ("store='${oc.env:${granularity}}'", "store"),
    ("store='${store}'", "store refers to itself"),
    ("store='${reference}' reference='${store}'", "refers to itself"),
    ("store='${nosuch}'", "store refers to ${nosuch}, which is not there"),
    ("store='${compare}'", "store refers to ${compare}, which has several values"),
    ("store='${oc.env:SOME_TOKEN}'", "store reads SOME_TOKEN, which looks like a secret"),
    ("store='${oc.env:some_password,x}'", "store reads some_password, which looks like a secret"),
    ("store='${oc.env:NOT_SET_ANYWHERE}'", "NOT_SET_ANYWHERE"),
    ("system.name='${oc.env:HOME}'", "system.name reads the environment"),
    ("+system.size='${oc.env:HOME}'", "system.size reads the environment"),
    ("+system.size='${store}' store='${oc.env:HOME}'", "system.size reads the environment"),
    ("system='${oc.env:HOME}'", "system"),
    ("metric=['${oc.env:HOME}']", "metric"),
    ("suite.primary='${oc.env:HOME}'", "suite.primary reads the environment"),
]  # fmt: skip

NESTED = [
    (OPENAI, "system.adapter.concurrency=1000000000", "system.adapter.concurrency must be a whole number <= 1024"),
    (OPENAI, "system.adapter.concurrency=0", "system.adapter.concurrency must be"),
    (OPENAI, "system.adapter.timeout=inf", "system.adapter.timeout must be a finite number"),
    (OPENAI, "system.adapter.timeout=nan", "system.adapter.timeout must be a finite number"),
    (OPENAI, "system.adapter.timeout=0", "system.adapter.timeout must be a number > 0"),
    (OPENAI, "system.adapter.timeout=1e12", "system.adapter.timeout must be a number <= 86400"),
    (OPENAI, "system.adapter.timeout=soon", "system.adapter.timeout must be a number"),
    (OPENAI, "system.adapter.retries=-1", "system.adapter.retries must be a whole number >= 0"),
    (OPENAI, "system.adapter.model=''", "system.adapter.model must be a text"),
    (OPENAI, "system.adapter.model=5", "system.adapter.model must be a text"),
    (OPENAI, "system.adapter.model=???", "system.adapter.model is missing"),
    (OPENAI, "system.adapter.options=5", "system.adapter.options must be a mapping"),
    (OPENAI, "system.adapter.options.temperature=nan", "system.adapter.options.temperature must be a finite"),
    (OPENAI, "system.adapter.options.max_tokens=" + 40 * "9", "system.adapter.options.max_tokens must be"),
    (OPENAI, "+system.adapter.options.key='${oc.env:HOME}'", "system.adapter.options.key reads the environment"),
    (OPENAI, "+system.adapter.options.path='${oc.env:HOME}'", "system.adapter.options.path reads the environment"),
    (OPENAI, "+system.adapter.max_tokens=5", "system.adapter.max_tokens is not a setting"),
    (OPENAI, "+system.adapter.timout=5", "system.adapter.timout is not a setting: use system.adapter.timeout"),
    (OPENAI, "system.adapter.base_url='${oc.env:HOME}'", "system.adapter.base_url reads the environment"),
    (OPENAI, "system.adapter.key_variable=5", "system.adapter.key_variable must be a text"),
    (OPENAI, "system.adapter.key_variable='${oc.env:OPENAI_API_KEY}'", "looks like a secret"),
    (OPENAI, "system.adapter.prompt=null", "system.adapter.prompt must be a prompt"),
    (OPENAI, "prompt@system.adapter.prompt=nosuch", "nosuch"),
    (OPENAI, "prompt@system.adapter.prompt=../system/copy", "must be the name of a file"),
    (OPENAI, "system.adapter.prompt._target_=os.system", "system.adapter.prompt._target_ must be a prompt"),
    (OPENAI, "system.adapter.prompt._target_=bench.adapters.copy.Copy", "system.adapter.prompt._target_"),
    (OPENAI, "system.adapter.prompt.query=5", "system.adapter.prompt.query must be a text"),
    (OPENAI, "system.adapter.prompt.query='{nosuch}'", "query"),
    (OPENAI, "system.adapter.prompt.query='{source'", "query"),
    (OPENAI, "system.adapter.prompt.query='{source:>1000000000}'", "query"),
    (OPENAI, "system.adapter.prompt.query='{source.__class__}'", "query"),
    (OPENAI, "+system.adapter.prompt.previous=-1", "system.adapter.prompt.previous must be"),
    (OPENAI, "+system.adapter.prompt.previous=100000", "system.adapter.prompt.previous must be"),
    (OPENAI, "+system.adapter.prompt.together=page", "system.adapter.prompt.together must be one of"),
    (OPENAI, "+system.adapter.prompt.chat=perhaps", "system.adapter.prompt.chat must be true or false"),
    (OPENAI, "+system.adapter.prompt.examples=[{zh: a}]", "example without zh or en"),
    (OPENAI, "+system.adapter.prompt.examples=[{zh: a, de: b}]", "system.adapter.prompt.examples"),
    (OPENAI, "+system.adapter.prompt.qery=x", "system.adapter.prompt.qery is not a setting: use"),
    (LLM, "system.adapter.max_new_tokens=1e9", "system.adapter.max_new_tokens must be a whole number"),
    (LLM, "system.adapter.max_new_tokens=1000000000", "system.adapter.max_new_tokens must be a whole number <= 131072"),
    (LLM, "system.adapter.max_new_tokens=0", "system.adapter.max_new_tokens must be"),
    (LLM, "+system.adapter.max_tokens=5", "system.adapter.max_tokens is not a setting: use system.adapter.max_new_tokens"),
    (LLM, "system.adapter.max_tokens=5", "system.adapter.max_tokens is not a setting: use system.adapter.max_new_tokens"),
    (LLM, "+system.adapter.tokens_base=-1", "system.adapter.tokens_base must be"),
    (LLM, "+system.adapter.tokens_ratio={zh-en: nan, en-zh: 1}", "system.adapter.tokens_ratio.zh-en must be a finite"),
    (LLM, "+system.adapter.tokens_ratio=5", "system.adapter.tokens_ratio must be a mapping"),
    (LLM, "system.adapter.dtype=float31", "system.adapter.dtype must be one of float32, float16, bfloat16"),
    (LLM, "system.adapter.dtype=load", "system.adapter.dtype must be one of"),
    (LLM, "system.adapter.checkpoint=5", "system.adapter.checkpoint must be a text or a mapping"),
    (LLM, "system.adapter.checkpoint=null", "system.adapter.checkpoint must be"),
    (LLM, "system.adapter.checkpoint=''", "checkpoint"),
    (LLM, "system.adapter.checkpoint=???", "system.adapter.checkpoint is missing"),
    (LLM, "system.adapter.checkpoint={sources: abc}", "weights"),
    (LLM, "system.adapter.checkpoint={sources: [abc]}", "weights"),
    (LLM, "system.adapter.checkpoint={sources: [{wheels: 5}]}", "weights"),
    (LLM, "system.adapter.checkpoint={sources: {a: b}}", "weights"),
    (LLM, "system.adapter.checkpoint={file: [a], sources: [{path: /x}]}", "weights"),
    (LLM, "system.adapter.checkpoint='~nouser/x'", "system.adapter"),
    (LLM, "system.adapter.checkpoint=" + 5000 * "x", "system.adapter.checkpoint must be a text of length <= 4096"),
    (SEQ, "system.adapter.beams=0", "system.adapter.beams must be a whole number >= 1"),
    (SEQ, "system.adapter.beams=1000", "system.adapter.beams must be a whole number <= 64"),
    (SEQ, "system.adapter.length_penalty=nan", "system.adapter.length_penalty must be a finite"),
    (SEQ, "system.adapter.codes={de: x}", "system.adapter.codes"),
    (SEQ, "system.adapter.prefix='{x'", "prefix"),
    (SEQ, "system.adapter.prefix='{source_language:>100000000}'", "prefix"),
    (SEQ, "system.adapter.pickled=perhaps", "system.adapter.pickled must be true or false"),
    (SEQ, "system.adapter.max_new_tokens=1000000000", "system.adapter.max_new_tokens must be"),
    (SEQ, "system.adapter.bems=2", "system.adapter.bems is not a setting: use system.adapter.beams"),
    (["system=hypotheses", "system.name=x"], "system.adapter.path=/dev/zero", "/dev/zero"),
    (["system=hypotheses", "system.name=x"], "system.adapter.path=''", "system.adapter.path must be"),
    (["system=hypotheses", "system.name=x"], "system.adapter.path='~nouser/x'", "system.adapter"),
    (["system=hypotheses", "system.name=x"], "system.adapter.path=/tmp", "/tmp"),
    (["system=hypotheses", "system.name=x"], "quiet=true", "system.adapter.path is missing"),
    (["system=hypotheses", "system.adapter.path=x"], "quiet=true", "system.name is missing"),
    (["system=copy", "metric=[comet]"], "metric.comet.precision=int3", "metric.comet.precision must be one of"),
    (["system=copy", "metric=[comet]"], "metric.comet.batch_tokens=0", "metric.comet.batch_tokens must be"),
    (["system=copy", "metric=[comet]"], "metric.comet.devices=cpu", "metric.comet.devices must be a list"),
    (["system=copy", "metric=[comet]"], "metric.comet.checkpoint=[a]", "metric.comet.checkpoint must be"),
    (["system=copy", "metric=[comet]"], "metric.comet.checkpoint={_target_: hydra.utils.get_object, path: os}",
     "metric.comet.checkpoint"),
    (["system=copy", "metric=[terms]"], "metric.terms.granularity=word", "metric.terms.granularity must be one of"),
    (["system=copy", "metric=[terms]"], "metric.terms.required=2", "metric.terms.required must be"),
]  # fmt: skip
WRONG = [(COPY, text, message) for text, message in TOP] + NESTED


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def refused(*arguments: object) -> str:
    """The sentence with which `bench` refuses these arguments."""
    result = invoke(*arguments)
    assert result.exit_code == 2, (result.exit_code, result.exception, result.output[-500:])
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(".")
    assert "Traceback" not in line
    assert "use +" not in line
    assert "hydra.cc" not in line
    return line


@pytest.mark.parametrize(("given", "text", "message"), WRONG, ids=[text[:60] for _, text, _ in WRONG])
def test_wrong_settings(
    given: list[str], text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BITEXT_BENCH_CACHE", str(tmp_path))
    (tmp_path / "a-file").touch()
    words = (
        text.split(" ")
        if text.count("=") > 1 and " " in text and "{" not in text.replace("${", "")
        else [text]
    )
    key = words[0].partition("=")[0]
    kept = [word for word in given if word.partition("=")[0] != key]
    before = files(tmp_path)
    assert message in refused("run", *kept, *words)
    assert files(tmp_path) == before


BROKEN = {
    "a tab": b"name: x\n\tadapter: y\n",
    "an open bracket": b"name: [x\n",
    "an unknown alias": b"name: *x\n",
    "a key twice": b"name: x\nname: y\n",
    "a list": b"- name\n",
    "a word": b"name\n",
    "UTF-16": "name: x\n".encode("utf-16"),
    "Latin-1": b"name: \xe9\n",
    "NUL": b"name: \x00\n",
    "a control character": b"name: \x07\n",
    "half a character": b'name: "\\ud800"\nadapter: {_target_: bench.adapters.copy.Copy}\n',
    "Python": b"name: !!python/object/apply:os.system [id]\n",
    "another class": b"name: x\nadapter: {_target_: os.system, command: id}\n",
    "a class in an argument": b"name: x\nadapter: {_target_: bench.adapters.copy.Copy, x: {_target_: os.system}}\n",
    "a module that is not there": b"name: x\nadapter: {_target_: nosuch.module.Adapter}\n",
    "a date": b"name: x\nreleased: !!timestamp 2024-01-01\nadapter: {_target_: bench.adapters.copy.Copy}\n",
    "bytes": b"name: !!binary aGVsbG8=\nadapter: {_target_: bench.adapters.copy.Copy}\n",
    "a number of 5000 digits": b"name: x\nsize: " + 5000 * b"9" + b"\n",
    "many levels": b"name: " + 2000 * b"[" + 2000 * b"]",
    "an anchor in itself": b"name: &a [*a]\n",
    "anchors that multiply": b"a0: &a0 [x, x]\n"
    + b"".join(b"a%d: &a%d [*a%d, *a%d, *a%d]\n" % (i, i, i - 1, i - 1, i - 1) for i in range(1, 30)),
    "references that multiply": b"name: x\nadapter: {_target_: bench.adapters.copy.Copy}\n"
    + b"".join(b"a%d: '${system.a%d}${system.a%d}'\n" % (i, i + 1, i + 1) for i in range(40))
    + b"a40: ''\n",
    "a large file": b"# " + 400_000 * b"x",
    "itself as default": b"defaults: [broken]\nname: x\n",
    "defaults that are a text": b"defaults: copy\nname: x\n",
    "defaults that are a mapping": b"defaults: {a: b}\nname: x\n",
    "defaults that are a number": b"defaults: [1]\nname: x\n",
    "defaults with two keys": b"defaults: [{a: b, c: d}]\nname: x\n",
    "defaults that are not there": b"defaults: [nosuch]\nname: x\n",
    "defaults outside": b"defaults: [../suite/offline]\nname: x\n",
    "defaults from the environment": b"defaults: ['/prompt@x: ${oc.env:HOME}']\nname: x\n",
    "a wrong header": b"# @package a b c\nname: x\n",
    "a wrong package": b"# @package _global_.x.y\nname: x\n",
    "no adapter": b"name: x\n",
    "nothing": b"",
    "an unknown key": b"defaults: [copy]\nlicense: MIT\n",
}  # fmt: skip


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_yaml(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine" / "system" / "broken.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    before = files(tmp_path)
    for command in ("run", "prefetch"):
        refused(command, "--config-dir", "mine", "system=broken", "direction=zh-en", "metric=[chrf]")
    assert files(tmp_path) == before


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "dangling"])
def test_a_yaml_that_is_no_file(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine" / "system" / "broken.yaml"
    path.parent.mkdir(parents=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else "nosuch")
    assert "broken" in refused("run", "--config-dir", "mine", "system=broken", "direction=zh-en")


def test_the_other_files_of_a_folder_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_yaml(tmp_path / "mine", "system", "good", {"defaults": ["copy"], "name": "good"})
    os.mkfifo(tmp_path / "mine" / "system" / "other.yaml")
    result = invoke("run", "--config-dir", "mine", "system=good", "direction=zh-en", "metric=[chrf]")
    assert result.exit_code == 0, result.output


def test_a_class_of_ones_own_needs_a_folder_and_its_settings_are_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_shout.py").write_text(
        "from typing import Annotated\n"
        "from msgspec import Meta\n"
        "from bench.adapters.copy import Copy\n"
        "class Shout(Copy):\n"
        "    def __init__(self, marks: Annotated[int, Meta(ge=1, le=3)] = 1, *, direction: str) -> None:\n"
        "        super().__init__(direction)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    content = {"name": "shout", "adapter": {"_target_": "own_shout.Shout", "marks": 2}}
    write_yaml(tmp_path / "mine", "system", "shout", content)
    own = ["--config-dir", "mine", "system=shout", "direction=zh-en", "metric=[chrf]"]
    assert "system.adapter.marks must be a whole number <= 3" in refused(
        "run", *own, "system.adapter.marks=4"
    )
    assert "use system.adapter.marks" in refused("run", *own, "system.adapter.mark=1")
    given = "system.adapter._target_=own_shout.Shout"
    assert "--config-dir" in refused("run", "system=copy", "direction=zh-en", given)
    assert not (tmp_path / "runs").exists()
    assert invoke("run", *own).exit_code == 0


def test_values_keep_their_types() -> None:
    """A whole number where a number is expected stays one: the identity of a run depends on it."""
    config = compose([*OPENAI, "system.adapter.base_url=http://127.0.0.1:1/v1", "system.adapter.timeout=120"])
    adapter = interpolation.recorded(config)["system"]["adapter"]
    assert type(adapter["timeout"]) is int
    assert type(adapter["options"]["temperature"]) is int


def test_what_is_recorded_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """${oc.env:…} works where files are, and its value gets into no file of the store and no output."""
    value = "only-in-the-environment"
    monkeypatch.chdir(tmp_path)
    (tmp_path / value).mkdir()
    Path("set.zh").write_text("出口管制。\n中国加入。\n", "utf-8")
    for file in ("set.en", f"{value}/out.txt"):
        Path(file).write_text("Export controls.\nChina joins.\n", "utf-8")
    monkeypatch.setenv("MY_FOLDER", str(tmp_path / value))
    result = invoke(
        *("run", "system=hypotheses", "system.name=mine", "direction=zh-en", "metric=[chrf]"),
        "reference=set",
        "system.adapter.path='${oc.env:MY_FOLDER}/out.txt'",
        "store='${oc.env:MY_STORE,runs}'",
    )
    assert result.exit_code == 0, result.output
    (run,) = tmp_path.glob("runs/*/*/*/run.json")
    document = json.loads(run.read_text())
    assert document["config"]["path"] == "${oc.env:MY_FOLDER}/out.txt"
    written = [path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()]
    assert not any(value.encode() in content for content in written)
    assert value not in result.output


SECRET = "sk-this-is-a-secret-0123456789"


@pytest.mark.parametrize(
    "text",
    [
        "system.name='${oc.env:MY_API_KEY}'",
        "system.adapter.path='${oc.env:MY_API_KEY}'",
        "store='${oc.env:MY_API_KEY}'",
        "store='x${oc.env:MY_API_KEY,y}'",
        "reference='${oc.env:MY_API_KEY}'",
        "reference='${oc.env:HARMLESS}'",
        "system=llm system.adapter.checkpoint='${oc.env:HARMLESS}'",
        "+system.size='${oc.env:HARMLESS}'",
        "+system.size='${system.adapter.path}' system.adapter.path='${oc.env:HARMLESS}'",
        "+system.licence='${store}' store='${oc.env:HARMLESS}'",
        "system='${oc.env:HARMLESS}'",
        "metric=['${oc.env:HARMLESS}']",
        "suite='${oc.env:HARMLESS}'",
        "prompt@system.adapter.prompt='${oc.env:HARMLESS}'",
        "store='${oc.decode:${oc.env:HARMLESS}}'",
        "store='${oc.env:${oc.env:HARMLESS}}'",
        "store='${${oc.env:HARMLESS}}'",
        "store='\\\\${oc.env:HARMLESS}'",
        "hydra.sweep.dir='${oc.env:MY_API_KEY}'",
        "hydra/launcher='${oc.env:HARMLESS}'",
        "batch_tokens='${oc.env:HARMLESS}'",
        "metric.chrf.resources.mem_gb='${oc.env:HARMLESS}'",
    ],
)
def test_secrets(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_API_KEY", SECRET)
    monkeypatch.setenv("HARMLESS", SECRET)
    name = [] if "system.name=" in text else ["system.name=x"]
    line = refused("run", "system=hypotheses", *name, "direction=zh-en", "metric=[chrf]", *text.split(" "))
    assert SECRET not in line
    assert files(tmp_path) == set()
