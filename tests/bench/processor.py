"""Name this machine's processor and the instruction sets that decide how fast a network runs on it."""

import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

OF_THIS_MACHINE = "Times and memory are of this machine: see its processor above."
"""Caption of every table that has a time or a size in memory."""
UNKNOWN = "unknown"
_CPUINFO = Path("/proc/cpuinfo")
_X86 = {
    "AVX2": {"avx2"},
    "AVX-512F": {"avx512f"},
    "VNNI": {"avx512_vnni", "avx512vnni", "avx_vnni"},
    "AVX-512 BF16": {"avx512_bf16", "avx512bf16"},
    "AMX": {"amx_tile"},
}
_ARM = {"NEON dotprod": {"asimddp", "feat_dotprod"}, "NEON i8mm": {"i8mm", "feat_i8mm"}}
_ARM_SIGNS = {"asimd", "neon", "advsimd"}
"""One of them is among the features of every ARM processor that can run LiteRT."""


@dataclass(frozen=True)
class Processor:
    """The name of a processor, and of the instruction sets above those that it has and those that it lacks."""

    name: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @classmethod
    def this(cls) -> "Processor":
        """Return the processor of this machine."""
        if _CPUINFO.exists():
            return cls.of_linux(_CPUINFO.read_text(encoding="utf-8", errors="replace"))
        if platform.system() == "Darwin":
            call = ["/usr/sbin/sysctl", "machdep.cpu", "hw.optional"]
            return cls.of_macos(subprocess.run(call, capture_output=True, text=True, check=False).stdout)
        return cls(platform.processor() or UNKNOWN)

    @classmethod
    def of_linux(cls, cpuinfo: str) -> "Processor":
        """Read the content of `/proc/cpuinfo`, of which the first core is taken."""
        facts = _facts(cpuinfo)
        part = f"{facts.get('cpu implementer')}/{facts['cpu part']} (implementer/part)" if "cpu part" in facts else ""
        name = facts.get("model name") or part or UNKNOWN
        return cls._of(name, {*facts.get("flags", "").split(), *facts.get("features", "").split()})

    @classmethod
    def of_macos(cls, said: str) -> "Processor":
        """Read the output of `sysctl machdep.cpu hw.optional`."""
        facts = _facts(said)
        features = {key.rpartition(".")[2] for key, value in facts.items() if value == "1"}
        for key in ("machdep.cpu.features", "machdep.cpu.leaf7_features"):
            features |= {*facts.get(key, "").lower().split()}
        return cls._of(facts.get("machdep.cpu.brand_string") or UNKNOWN, features)

    @classmethod
    def _of(cls, name: str, features: set[str]) -> "Processor":
        sets = (_ARM if features & _ARM_SIGNS else _X86) if features else {}
        has = tuple(label for label, flags in sets.items() if flags & features)
        return cls(name, has, tuple(label for label in sets if label not in has))

    def __str__(self) -> str:
        """Return both in one line."""
        if not self.has and not self.lacks:
            return f"{self.name}; instruction sets: {UNKNOWN}"
        without = f"; without {', '.join(self.lacks)}" if self.lacks else ""
        return f"{self.name}; instruction sets: {', '.join(self.has) or 'none of these'}{without}"


def _facts(text: str) -> dict[str, str]:
    """Return the values of lines such as `key : value`, by their keys in small letters; the first of each counts."""
    facts: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            facts.setdefault(key.strip().lower(), value.strip())
    return facts
