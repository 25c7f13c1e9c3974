"""A real Slurm on this machine, started and stopped by a test: one node, two fake GPUs, no systemd.

It is set up as inconvenient sites are: jobs are not requeued unless they ask for it, nodes get no environment, arrays
are short. It has no accounting, which needs a database: `sacct` answers nothing, and limits of accounts are played by
`limited`.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TIMEOUT = 20
"""Seconds, for every command of Slurm."""
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={port_of_node}
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
AuthType=auth/none
CredType=cred/none
AuthInfo=cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0,sched_min_interval=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=5
JobRequeue=0
MaxArraySize=4
MessageTimeout=20
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000 Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES State=UP PriorityTier=1 GraceTime={grace} MaxTime=INFINITE
PartitionName=short Nodes={host} State=UP PriorityTier=1 MaxTime=30
PartitionName=urgent Nodes={host} State=UP PriorityTier=10 MaxTime=INFINITE
"""


def missing() -> str:
    """Why no Slurm can be started on this machine; "" if one can."""
    if os.geteuid():
        return "Slurm's daemons must be started as root"
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    return (
        f"no {', '.join(absent)}: apt-get install --no-install-recommends slurm-wlm munge" if absent else ""
    )


@contextmanager
def cluster(folder: Path, grace: int = 0) -> Iterator[dict[str, str]]:
    """Start Slurm; yields the environment for its commands.

    `grace`: seconds between the SIGTERM of a preempted job and its end.
    """
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool", "dev"):
        (folder / name).mkdir(parents=True)
    for number in range(2):
        (folder / "dev" / f"nvidia{number}").touch()
    fields = {"host": host, "folder": folder, "user": getpass.getuser(), "grace": grace}
    conf = CONF.format(**fields, port=_free_port(), port_of_node=_free_port())
    (folder / "slurm.conf").write_text(conf)
    (folder / "gres.conf").write_text(f"Name=gpu File={folder}/dev/nvidia[0-1]\n")
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "SBATCH_EXPORT": "NONE"}
    daemons = []
    try:
        for program in (["slurmctld", "-D", "-c"], ["slurmd", "-D"]):
            command = [*program, "-f", str(folder / "slurm.conf")]
            with (folder / f"{program[0]}.out").open("w") as out:
                daemons.append(subprocess.Popen(command, stdout=out, stderr=out, env=environment))
        _wait_until(
            lambda: "idle" in _run(environment, "sinfo", "--noheader", "--format=%T"),
            "Slurm has no idle node",
        )
        yield environment
    finally:
        _run(environment, "scancel", f"--user={getpass.getuser()}")
        end = time.monotonic() + TIMEOUT  # slurmd must end the jobs, or their processes would stay
        while _run(environment, "squeue", "--noheader").strip() and time.monotonic() < end:
            time.sleep(0.2)
        for daemon in reversed(daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in daemons:
            try:
                daemon.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait(TIMEOUT)


def limited(folder: Path, environment: dict[str, str], most: int) -> dict[str, str]:
    """The environment in which `sbatch` refuses more than `most` jobs, in the words of a Slurm with such a limit."""
    script = folder / "sbatch"
    script.write_text(
        f"""#!/bin/bash
new=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
if (( $(squeue --noheader --array | wc -l) + ${{new:-0}} + 1 > {most} )); then
  echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2
  echo "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's size\
 and/or time limits)" >&2
  exit 1
fi
exec {shutil.which("sbatch")} "$@"
"""
    )
    script.chmod(0o755)
    return {**environment, "PATH": f"{folder}:{environment['PATH']}"}


def states(environment: dict[str, str]) -> dict[str, str]:
    """Job id ("3_1" in an array) -> state, of all jobs, including those that have ended."""
    lines = _run(
        environment, "squeue", "--noheader", "--array", "--states=all", "--format=%i %T"
    ).splitlines()
    return dict(line.split() for line in lines)


def command(environment: dict[str, str], *arguments: str) -> str:
    """What it printed. Raises CalledProcessError if it fails."""
    options = {"check": True, "timeout": TIMEOUT, "capture_output": True, "text": True}
    return str(subprocess.run(arguments, env=environment, **options).stdout)  # type: ignore[call-overload]


def _run(environment: dict[str, str], *arguments: str) -> str:
    try:
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def _wait_until(condition: Callable[[], bool], message: str) -> None:
    """Raises AssertionError with `message` after a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, message
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
