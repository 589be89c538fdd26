"""What runs in each pod before its process starts: `initContainer`."""

from core.manifest.configs import read_config_mounts
from core.manifest.images import image_problem
from core.manifest.pods import read_words
from core.manifest.service import InitContainer
from core.manifest.volumes import read_volume_options
from core.yaml.fields import FieldReader, node_kind
from core.yaml.tree import Node


def read_init_container(read: FieldReader, node: Node, what: str, service: str) -> InitContainer:
    entries = read.entries_of(node, what, ("command", "configMounts", "image", "volumeOptions"))
    image = read.text(entries["image"].value, f"image of {what}") if "image" in entries else ""
    if image and (why := image_problem(image)):
        said = entries["image"].value
        read.problems.add(said.line, f"image of {what} is no image reference ({why}): {node_kind(said)}")
    return InitContainer(
        image=image,
        command=read_words(read, entries["command"].value, f"command of {what}")
        if "command" in entries
        else (),
        volumes=read_volume_options(read, entries["volumeOptions"].value, f"volumeOptions of {what}", service)
        if "volumeOptions" in entries
        else (),
        configs=read_config_mounts(read, entries["configMounts"].value, f"configMounts of {what}")
        if "configMounts" in entries
        else (),
    )
