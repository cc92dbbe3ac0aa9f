"""The image that PlatformIO builds from the user's exact project, uploaded by ``pio`` into an
emulator of the chip's family, and asked for its outputs over the serial port."""

import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from firmware_tests.models import samples
from firmware_tests.platformio.conftest import Generate, pio
from firmware_tests.tiers import Prove
from tinygen import reference
from tinygen.board.file import load_board
from tinygen.firmware.target import choose_target
from tinygen.run.device import Device, Expected
from tinygen.run.serial import SerialLink
from tinygen.vectors import draw_vectors

pytestmark = pytest.mark.emulated


@dataclass(frozen=True)
class Machine:
    """QEMU's machine whose memory and UART lie where the board's do; ``uart`` counts from 0."""

    name: str
    uart: int


MACHINES = {
    "bbcmicrobit": Machine("microbit", 0),
    "disco_f407vg": Machine("netduinoplus2", 1),
    "nucleo_f446re": Machine("netduinoplus2", 1),
}

# A test as PlatformIO's documentation describes it: the runner beside the test, and a source file
# so that there is something to compile.
RUNNER = """
import json
from pathlib import Path

import numpy as np
from platformio.public import TestCase, TestRunnerBase, TestStatus

from tinygen.run.device import Device
from tinygen.run.serial import SerialLink


class CustomTestRunner(TestRunnerBase):
    def stage_testing(self):
        vectors = json.loads(Path(__file__).with_name("vectors.json").read_text())
        link = SerialLink(self.get_test_port())
        try:
            device = Device(link)
            device.connect()
            for i, (inputs, outputs) in enumerate(vectors):
                got = device.run([np.array(x, np.int8) for x in inputs]).outputs
                good = [x.tolist() for x in got] == outputs
                status = TestStatus.PASSED if good else TestStatus.FAILED
                self.test_suite.add_case(TestCase(f"vector {i}", status))
        finally:
            link.close()
"""


@dataclass(frozen=True)
class Emulator:
    """Where the emulator's UART is, and what ``pio`` must be told to start it."""

    url: str
    variables: dict[str, str]


@contextmanager
def emulator(machine: Machine, directory: Path) -> Iterator[Emulator]:
    """Everything that an upload needs; what it has started ends with the context."""
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("qemu-system-arm is not installed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    serial = ["-serial", "null"] * machine.uart
    serial += ["-serial", f"tcp:127.0.0.1:{port},server=on,wait=on,nodelay=on"]
    command = ["qemu-system-arm", "-machine", machine.name, "-nodefaults", "-display", "none",
               "-monitor", "none", *serial]  # fmt: skip
    note, script = directory / "qemu.pid", directory / "upload.py"
    start = Path(__file__).with_name("start_qemu.py")
    uploader = f'"$PYTHONEXE" "{start}" "$BUILD_DIR/${{PROGNAME}}.elf"'
    script.write_text(f'Import("env")\nenv.Replace(UPLOADCMD={uploader!r})\n')
    try:
        yield Emulator(
            f"socket://127.0.0.1:{port}",
            {
                "PLATFORMIO_EXTRA_SCRIPTS": f"post:{script}",
                "QEMU_COMMAND": json.dumps(command),
                "QEMU_PID": str(note),
            },
        )
    finally:
        if note.exists():
            with suppress(ProcessLookupError):
                os.kill(int(note.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("name", MACHINES)
def test_an_uploaded_image_gives_the_reference_outputs(
    name: str, tmp_path: Path, generate: Generate, stand_ins: Path, prove: Prove
) -> None:
    del stand_ins
    directory = generate(choose_target(load_board(name), "bare"), tmp_path / "p")
    graph = samples.residual()
    with emulator(MACHINES[name], tmp_path) as qemu:
        done = pio(directory, "run", "-t", "upload", **qemu.variables)
        assert done.returncode == 0, done.stdout + done.stderr
        link = SerialLink(qemu.url, wait_s=10.0)
        device = Device(link)
        device.connect(Expected(model_sha256="ab" * 32))
        assert device.identity.board == name
        for inputs in draw_vectors(graph, 3, seed=7).inputs:
            values = reference.evaluate(graph, inputs)
            outputs = device.run(inputs).outputs
            for got, tensor in zip(outputs, graph.outputs, strict=True):
                assert np.array_equal(got, values[tensor])
        link.close()
    prove(name, "emulated")


@pytest.mark.parametrize("wrong", [False, True], ids=["right", "wrong"])
def test_pio_test_fails_exactly_where_an_output_is_wrong(
    wrong: bool, tmp_path: Path, generate: Generate, stand_ins: Path
) -> None:
    del stand_ins
    directory = generate(choose_target(load_board("disco_f407vg"), "bare"), tmp_path / "p")
    graph = samples.residual()
    vectors: list[tuple[list[object], list[object]]] = []
    for inputs in draw_vectors(graph, 2, seed=3).inputs:
        values = reference.evaluate(graph, inputs)
        outputs = [values[t].copy() for t in graph.outputs]
        if wrong and vectors:
            outputs[0].flat[0] ^= 1
        vectors.append(([x.tolist() for x in inputs], [y.tolist() for y in outputs]))
    (directory / "test" / "test_vectors").mkdir(parents=True)
    (directory / "test" / "test_custom_runner.py").write_text(RUNNER)
    (directory / "test" / "vectors.json").write_text(json.dumps(vectors))
    (directory / "test" / "test_vectors" / "nothing.c").write_text("typedef int nothing;\n")
    with emulator(MACHINES["disco_f407vg"], tmp_path) as qemu:
        done = pio(directory, "test", "--test-port", qemu.url, **qemu.variables)
    text = done.stdout + done.stderr
    assert done.returncode == (1 if wrong else 0), text
    assert ("2 test cases: 1 failed, 1 succeeded" if wrong else "2 test cases: 2 succeeded") in text
