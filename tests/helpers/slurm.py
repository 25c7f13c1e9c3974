"""A real Slurm on this machine, started and stopped by a test: two nodes with two fake GPUs each, no systemd.

A node is a machine of its own as far as namespaces can make it one: its own name, processes and network, from which
only the login and the other node can be reached. Where the kernel allows no namespaces, there is one node without them.

The cluster is set up as inconvenient sites are: jobs are not requeued unless they ask for it, nodes get no environment,
arrays are short, GPUs have types. It has no accounting, which needs a database: `sacct` answers nothing, and limits of
accounts are played by `limited`.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

TIMEOUT = 20
"""Seconds, for every command of Slurm."""
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")

CONF = """\
ClusterName=test
SlurmctldHost={host}({address})
SlurmctldPort={port}
SlurmdPort={port_of_node}
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
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
KillWait=2
JobRequeue=0
MaxArraySize=4
MessageTimeout=20
GresTypes=gpu
PartitionName=main Nodes=ALL Default=YES LLN=YES State=UP PriorityTier=1 GraceTime={grace} MaxTime=INFINITE
PartitionName=short Nodes=ALL State=UP PriorityTier=1 MaxTime=30
PartitionName=urgent Nodes=ALL State=UP PriorityTier=10 MaxTime=INFINITE
"""
NODE = "NodeName={name} NodeAddr={address} CPUs=4 RealMemory=8000 Gres=gpu:{gpu}:2 State=UNKNOWN\n"
GPUS = ("a100", "v100")
"""The kinds of GPUs: the first node has the first."""


def missing() -> str:
    """Why no Slurm can be started on this machine; "" if one can."""
    if os.geteuid():
        return "Slurm's daemons must be started as root"
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    return (
        f"no {', '.join(absent)}: apt-get install --no-install-recommends slurm-wlm munge" if absent else ""
    )


@dataclass
class Cluster:
    environment: dict[str, str]
    """For Slurm's commands."""
    folder: Path
    network: str
    """Name of the bridge between login and nodes; "" if there is one node without namespaces."""
    nodes: dict[str, str]
    """Name -> address."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    """Of the nodes, by name, and of the daemon of the login."""

    def start_node(self, name: str) -> None:
        command = ["slurmd", "-D", "-f", str(self.folder / "slurm.conf")]
        if self.network:
            alone = "unshare --uts --pid --mount --mount-proc --fork --kill-child"
            script = f"hostname {name}; {shlex.join(command)}; true"  # the shell stays, as the first process
            command = [*f"nsenter --net=/run/netns/{self.network}{name} {alone} sh -c".split(), script]
        self._start(name, command)

    def start_login(self) -> None:
        self._start("slurmctld", ["slurmctld", "-D", "-c", "-f", str(self.folder / "slurm.conf")])

    def _start(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.out").open("a") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env=self.environment)
            self.processes[name] = process

    def kill_node(self, name: str) -> None:
        """End all processes of a node at once, as a power failure does, and tell Slurm that it is down. Needs
        namespaces."""
        assert self.network
        self.processes[name].kill()
        self.processes[name].wait(TIMEOUT)
        command(self.environment, "scontrol", "update", f"NodeName={name}", "State=DOWN", "Reason=killed")

    def kill_process(self, node: str, number: int) -> None:
        """Kill a process of a node, which has its own numbers for processes."""
        if not self.network:
            os.kill(number, signal.SIGKILL)
            return
        outside = self.processes[node].pid
        (first,) = Path(f"/proc/{outside}/task/{outside}/children").read_text().split()
        enter = ["nsenter", f"--target={first}", "--pid", "--mount"]
        subprocess.run([*enter, "sh", "-c", f"kill -KILL {number}"], check=True)

    def wait_until_idle(self) -> None:
        def idle() -> bool:
            states = _run(self.environment, "sinfo", "--noheader", "--Node", "--format=%N %T")
            return len(set(states.splitlines()) & {f"{name} idle" for name in self.nodes}) == len(self.nodes)

        _wait_until(idle, "Slurm has a node that is not idle")

    def stop(self) -> None:
        _run(self.environment, "scancel", f"--user={getpass.getuser()}")
        end = time.monotonic() + TIMEOUT  # slurmd must end the jobs, or their processes would stay
        while _run(self.environment, "squeue", "--noheader").strip() and time.monotonic() < end:
            time.sleep(0.2)
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.processes.items():
            if self.network and name in self.nodes:
                process.kill()  # with all that is in its namespace
            try:
                process.wait(TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(TIMEOUT)


@contextmanager
def cluster(folder: Path, grace: int = 0) -> Iterator[Cluster]:
    """Start Slurm.

    `grace`: seconds between the SIGTERM of a preempted job and its end.
    """
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "dev"):
        (folder / name).mkdir(parents=True)
    with _network() as (network, nodes):
        nodes = nodes or {host: "127.0.0.1"}
        fields = {"host": host, "folder": folder, "user": getpass.getuser(), "grace": grace}
        address = next(iter(nodes.values())).rpartition(".")[0] + ".1"
        conf = CONF.format(**fields, address=address, port=_free_port(), port_of_node=_free_port())
        gres = ""
        for number, (name, own_address) in enumerate(nodes.items()):
            conf += NODE.format(name=name, address=own_address, gpu=GPUS[number])
            gres += f"NodeName={name} Name=gpu Type={GPUS[number]} File={folder}/dev/nvidia[0-1]\n"
        for number in range(2):
            (folder / "dev" / f"nvidia{number}").touch()
        (folder / "slurm.conf").write_text(conf)
        (folder / "gres.conf").write_text(gres)
        environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "SBATCH_EXPORT": "NONE"}
        machines = Cluster(environment, folder, network, nodes)
        try:
            machines.start_login()
            for name in nodes:
                machines.start_node(name)
            machines.wait_until_idle()
            yield machines
        finally:
            machines.stop()


@contextmanager
def _network() -> Iterator[tuple[str, dict[str, str]]]:
    """A network for two nodes: the name of its bridge, and name -> address of each node; nothing where the kernel allows
    none."""
    bridge, net = f"bench{os.getpid() % 100_000}", f"10.213.{os.getpid() % 250}"
    nodes = {"n1": f"{net}.2", "n2": f"{net}.3"}
    try:
        try:
            subprocess.run(["unshare", "--uts", "--pid", "--mount", "--fork", "true"], check=True)
            _ip(f"link add {bridge} type bridge")
            _ip(f"address add {net}.1/24 dev {bridge}")
            _ip(f"link set {bridge} up")
            for name, address in nodes.items():
                inside, cable = f"{bridge}{name}", f"{bridge}{name}"
                _ip(f"netns add {inside}")
                _ip(f"link add {cable} type veth peer name eth0 netns {inside}")
                _ip(f"link set {cable} master {bridge} up")
                _ip(f"-n {inside} address add {address}/24 dev eth0")
                _ip(f"-n {inside} link set eth0 up")
                _ip(f"-n {inside} link set lo up")
        except (OSError, subprocess.CalledProcessError):
            bridge, nodes = "", {}
        yield bridge, nodes
    finally:
        for name in nodes:
            subprocess.run(["ip", "netns", "delete", f"{bridge}{name}"], check=False)
        if bridge:
            subprocess.run(["ip", "link", "delete", bridge], check=False)


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True, capture_output=True)


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
