"""``mnt_start`` where CBSD calls it: by its link, through a shell, with nothing in the environment (section 4)."""

from __future__ import annotations

import subprocess

import pytest

from tests.hooks.cbsd.node import PATH, Node, in_shell

CALL = 'umask 002; cd "$1" && shift && exec "$@"'


def mnt_start(node: Node, guest: str, shell: str, *, fstab: bool) -> subprocess.CompletedProcess[str]:
    """Start to mount; virtual machines have no fstab."""
    link = node.workdir / "mnt_start"
    if not link.is_symlink():
        link.symlink_to(node.program.with_name("leasehold-mount"))
    options = ["-d", "/data", *(["-f", "/fstab"] if fstab else []), "-j", guest, "-r", "/rc"]
    options += ["-s", str(node.workdir / "jails-system" / guest)]
    return subprocess.run(
        [*shell.split(), "-c", CALL, "call", str(node.empty), str(link), *options],
        env={"PATH": PATH, "LEASEHOLD_HOOK_CONFIG": str(node.settings)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shell", "fstab"), [in_shell("dash", True), in_shell("bash", False), in_shell("busybox sh", True)]
)
def test_one_node_may_start_it_and_the_other_is_told_who_has_it(make_node, known, shell, fstab):
    sun, moon = make_node("sun", claims=True), make_node("moon", claims=True)
    name = f"shared{len(shell)}"
    for _ in range(2):
        done = mnt_start(sun, name, shell, fstab=fstab)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = mnt_start(moon, name, shell, fstab=fstab)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "sun" in done.stderr
    # Its name is that of CBSD's own file, although no variable says where that is.
    (claim,) = [each for each in known.get("/claims", cluster="east")["items"] if each["name"] == name]
    assert claim["node"] == "sun"
