"""The guides of the tools: their settings can be used, and their scripts do what they say in every shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hooks.iocage.command import EVENTS
from hooks.settings import load

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", ["iocage.md", "vmadm.md", "ansible.md", "shared-storage.md"])
def test_the_settings_of_a_guide_can_be_used(page: str, tmp_path: Path):
    examples = blocks(page, "toml")
    assert examples
    for example in examples:
        (tmp_path / "example.toml").write_text(example)
        load({"LEASEHOLD_HOOK_CONFIG": str(tmp_path / "example.toml")})


@pytest.mark.parametrize("event", EVENTS)
def test_every_property_of_iocage_is_in_its_guide(event: str):
    assert f"| `exec_{event}` |" in (DOCS / "iocage.md").read_text()


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_the_script_that_mounts_does_so_once(shell: str, tmp_path: Path):
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell.split()[0]} is not installed")
    (script,) = blocks("shared-storage.md", "sh")
    (tmp_path / "mount-guest").write_text(script)
    data, mounted = tmp_path / "web1-data", tmp_path / "mounted"
    mounted.write_text(f"nfs:/guests/other {data}-other nfs rw 0 0\n")
    made_up = tmp_path / "bin" / "mount"
    made_up.parent.mkdir()
    made_up.write_text(
        f'#!/bin/sh\n[ "$1" = -p ] && exec cat {mounted}\necho "$*"\necho "x {data} nfs rw 0 0" >> {mounted}\n'
    )
    made_up.chmod(0o755)
    said = [
        subprocess.run(
            [*shell.split(), tmp_path / "mount-guest", "-d", data, *options, "-j", "web1", "-r", "/r", "-s", "/s"],
            env={"PATH": f"{made_up.parent}:/bin:/usr/bin"}, capture_output=True, text=True, check=True, timeout=120,
        ).stdout
        for options in (["-f", "/fstab"], [])
    ]  # fmt: skip
    assert said == [f"-t nfs -o nfsv4,retrycnt=1 nfs.example.com:/guests/web1 {data}\n", ""]
    assert data.is_dir()
