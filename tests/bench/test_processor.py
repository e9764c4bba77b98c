"""The processor is named with what it has, on every kind of machine that the bot is run on."""

import platform
from pathlib import Path

import pytest

from tests.bench import processor
from tests.bench.processor import Processor

EPYC_7001 = """processor\t: 0
model name\t: AMD EPYC 7401P 24-Core Processor
flags\t\t: fpu sse sse4_2 avx fma avx2 sha_ni

processor\t: 1
model name\t: another
flags\t\t: avx512f
"""
SAPPHIRE_RAPIDS = "model name : Xeon\nflags : avx2 avx512f avx512_vnni avx_vnni avx512_bf16 amx_bf16 amx_tile\n"
RASPBERRY_PI_5 = """processor\t: 0
Features\t: fp asimd evtstrm aes pmull asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b
"""
M2 = """machdep.cpu.brand_string: Apple M2
machdep.cpu.core_count: 1
hw.optional.arm.FEAT_DotProd: 1
hw.optional.arm.FEAT_I8MM: 1
hw.optional.arm.FEAT_SME: 0
hw.optional.AdvSIMD: 1
hw.optional.neon: 1
"""
INTEL_MAC = """machdep.cpu.brand_string: Intel(R) Core(TM) i7
machdep.cpu.features: FPU SSE AVX1.0
machdep.cpu.leaf7_features: BMI1 AVX2
hw.optional.avx512f: 0
"""


@pytest.mark.parametrize(
    ("cpuinfo", "line"),
    [
        (
            EPYC_7001,
            "AMD EPYC 7401P 24-Core Processor; instruction sets: AVX2; without AVX-512F, VNNI, AVX-512 BF16, AMX",
        ),
        (SAPPHIRE_RAPIDS, "Xeon; instruction sets: AVX2, AVX-512F, VNNI, AVX-512 BF16, AMX"),
        (RASPBERRY_PI_5, "0x41/0xd0b (implementer/part); instruction sets: NEON dotprod; without NEON i8mm"),
        ("model name : Intel Core 2\nflags : sse", "Intel Core 2; instruction sets: none of these; without AVX2, "),
        ("model name : who knows", "who knows; instruction sets: unknown"),
        ("", "unknown; instruction sets: unknown"),
    ],
)
def test_linux_tells_name_and_instruction_sets(cpuinfo: str, line: str) -> None:
    assert str(Processor.of_linux(cpuinfo)).startswith(line)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (M2, "Apple M2; instruction sets: NEON dotprod, NEON i8mm"),
        (INTEL_MAC, "Intel(R) Core(TM) i7; instruction sets: AVX2; without AVX-512F, VNNI, AVX-512 BF16, AMX"),
        ("", "unknown; instruction sets: unknown"),
    ],
)
def test_macos_tells_name_and_instruction_sets(said: str, line: str) -> None:
    assert str(Processor.of_macos(said)) == line


def test_elsewhere_it_is_unknown_what_the_processor_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6")
    assert str(Processor.this()) == "Intel64 Family 6; instruction sets: unknown"


def test_this_machine_has_a_processor() -> None:
    assert Processor.this().name
