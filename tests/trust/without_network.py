"""Start a program that dies, as does whatever it starts, when it asks for a socket of any network.

`python -m tests.trust.without_network PROGRAM ARGUMENT…`. The kernel kills at the system call `socket` for all families but
that of local sockets; see seccomp(2) and the kernel's documentation, "Seccomp BPF".
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

_LOAD, _SKIP_UNLESS_EQUAL, _RETURN = 0x20, 0x15, 0x06
_KILL, _ALLOW = 0x8000_0000, 0x7FFF_0000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_AF_UNIX = 1
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2

_MACHINES = {"x86_64": (0xC000_003E, 41), "aarch64": (0xC000_00B7, 198)}
"""What the kernel calls the architecture, and its number of the system call `socket`."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filters", ctypes.c_char_p))


def forbid_networks() -> None:
    """Forbid sockets of networks to this process and to all that it starts, for good."""
    architecture, socket = _MACHINES[platform.machine()]
    steps = (
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_SKIP_UNLESS_EQUAL, 0, 5, architecture),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_SKIP_UNLESS_EQUAL, 0, 3, socket),
        (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        (_SKIP_UNLESS_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _KILL),
        (_RETURN, 0, 0, _ALLOW),
    )
    program = _Program(len(steps), b"".join(struct.pack("HBBI", *step) for step in steps))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for call in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program)),
    ):
        if prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not forbid networks")


if __name__ == "__main__":
    forbid_networks()
    os.execvp(sys.argv[1], sys.argv[1:])
