"""How many processes and how large, and how they are replaced: `scale` and `deployment`."""

import re

from core.manifest.autoscaling import read_autoscaler, read_count, read_range
from core.manifest.keys import SCALE_SUPPORTED, SCALE_UNSUPPORTED, is_switched_off, refusal
from core.manifest.service import RollingUpdate, Scale
from core.yaml.fields import FieldReader
from core.yaml.tree import MappingEntry, MappingNode, Node, ScalarNode, SequenceNode

MOST_GPUS = 64  # of one process; more than any node has
NVIDIA = "nvidia.com"
VENDOR = re.compile(r"[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?")


def read_deployment(read: FieldReader, node: Node, what: str) -> RollingUpdate:
    entries = read.entries_of(node, what, ("maximum", "minimum"))
    given = {
        key: read.integer(entries[key].value, f"{key} of {what}", low=-1000, high=1000, default=100)
        for key in entries
    }
    return RollingUpdate(minimum=given.get("minimum", 100), maximum=given.get("maximum", 200))


def read_scale(read: FieldReader, node: Node, what: str) -> Scale:
    """Read a count, or a mapping; 0 for cpu and memory means the default, as in Convox."""
    if isinstance(node, SequenceNode):
        read.problems.add(node.line, f"unknown type for service scale: {what} may have a number or a mapping")
        return Scale()
    if isinstance(node, ScalarNode):
        count = read_count(read, node, what)
        return Scale(count=count.least, autoscaler=read_autoscaler(read, {}, count, what))
    entries = read.entries_of(node, what, (*SCALE_SUPPORTED, *SCALE_UNSUPPORTED))
    for key, entry in entries.items():
        if key in SCALE_UNSUPPORTED and not is_switched_off(entry.value):
            read.problems.add(entry.line, refusal(entry, what, SCALE_UNSUPPORTED[key]))
    limit = entries.get("limit")
    limits = read.entries_of(limit.value, f"limit of {what}", ("cpu", "memory")) if limit else {}
    cpu_limit = _amount(read, limits, "cpu", f"cpu limit of {what}")
    memory_limit = _amount(read, limits, "memory", f"memory limit of {what}")
    gpus, vendor = _gpu(read, entries["gpu"].value, f"gpu of {what}") if "gpu" in entries else (0, "")
    # One that asks for GPUs gets no default of the rest.
    cpu = _amount(read, entries, "cpu", f"cpu of {what}") or cpu_limit or (0 if gpus else 250)
    memory = _amount(read, entries, "memory", f"memory of {what}") or memory_limit or (0 if gpus else 512)
    for name, most, asked in (("cpu", cpu_limit, cpu), ("memory", memory_limit, memory)):
        if limit and most and most < asked:
            read.problems.add(limit.line, f"{what}: {name} limit can not be less {name} request")
    count = read_range(read, entries, what)
    return Scale(
        count=count.least,
        autoscaler=read_autoscaler(read, entries, count, what),
        cpu=cpu,
        memory=memory,
        cpu_limit=cpu_limit or None,
        memory_limit=memory_limit or None,
        gpus=gpus,
        gpu_vendor=vendor or NVIDIA,
    )


def _gpu(read: FieldReader, node: Node, what: str) -> tuple[int, str]:
    """Read a number, or `{count, vendor}`; `nvidia` and `nvidia.com` are the same vendor."""
    if not isinstance(node, MappingNode):
        return read.integer(node, what, low=0, high=MOST_GPUS), NVIDIA
    entries = read.entries_of(node, what, ("count", "vendor"))
    count = (
        read.integer(entries["count"].value, f"count of {what}", low=0, high=MOST_GPUS)
        if "count" in entries
        else 0
    )
    vendor = read.text(entries["vendor"].value, f"vendor of {what}") if "vendor" in entries else NVIDIA
    vendor = vendor if vendor.endswith(".com") else f"{vendor}.com"
    if not VENDOR.fullmatch(vendor):
        read.problems.add(node.line, f"vendor of {what} is none, such as nvidia or amd")
        return count, NVIDIA
    return count, vendor


def _amount(read: FieldReader, entries: dict[str, MappingEntry], key: str, what: str) -> int:
    if key not in entries:
        return 0
    # A thousand cores, 16 TiB: beyond the largest node there is.
    return read.integer(entries[key].value, what, low=0, high=1_000_000 if key == "cpu" else 16_777_216)
