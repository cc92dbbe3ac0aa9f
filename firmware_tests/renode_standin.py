"""A program that plays Renode: it takes Renode's command line, opens Renode's two sockets, answers
the monitor's commands as Renode 1.16 does, and runs the image as a process of this computer.

The environment's STANDIN_FAULT names what goes wrong, STANDIN_RECORD a file for what it was told.
"""

import argparse
import asyncio
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path

TELNET = b"\xff\xfd\x00\xff\xfb\x01\xff\xfb\x03\xff\xfc\x22"
FAULT = os.environ.get("STANDIN_FAULT", "")
VERSIONS = {"old": "1.15.3", "impostor": "none"}
BUSY = """There was an error executing command 'emulation'
Unable to create '0.0.0.0:1' socket:[AddressAlreadyInUse] Address already in use"""

# What the monitor prints when a command fails, after Renode 1.16.1.
REFUSALS = {
    "include": "There was an error executing command 'include'\nError E26: Property 'x' missing",
    "connector": "No such command or device: connector",
}


class Standin:
    """The state of the one machine."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.image = ""
        self.terminals = 0
        self.uart: asyncio.StreamWriter | None = None
        self.firmware: asyncio.subprocess.Process | None = None
        self.over = asyncio.Event()

    async def serve(self) -> None:
        """Until `quit`."""
        await asyncio.start_server(self.monitor, "0.0.0.0", self.port)
        await self.over.wait()
        if self.firmware is not None:
            self.firmware.kill()
            await self.firmware.wait()
        os._exit(0)  # whoever is connected

    async def monitor(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to the monitor, telnet's codes, prompts and echoes included."""
        writer.write(TELNET + b"Renode\n\r\n\r(monitor) ")
        await reader.readline()  # what comes first is lost
        while line := (await reader.readline()).decode().strip("\n"):
            writer.write(f"{line}\n\r".encode())
            for text in (await self.obey(line)).splitlines():
                writer.write(f"{text}\r\n".encode())
            writer.write(b"\x1b[32m(board)\x1b[0m ")
        writer.close()

    async def obey(self, line: str) -> str:
        """What Renode says to a command."""
        if FAULT == "deaf":
            await asyncio.sleep(3600)
        record(line)
        word = line.partition(" ")[0]
        if f"refuse {word}" == FAULT:
            return REFUSALS[word]
        if word == "echo":
            return line.partition('"')[2].rstrip('"')
        if word == "version":
            return f"Renode, version {VERSIONS.get(FAULT, '1.16.1')} (stand-in)"
        if word == "include":
            self.include(Path(line.partition('"')[2].rstrip('"')))
            return "Failed to download https://example.org/chip.svd.gz, see log for details."
        if "CreateServerSocketTerminal" in line:
            return await self.open_terminal(int(line.split()[2]))
        if word == "start":
            await self.start()
            return "Starting emulation..."
        if word == "quit" and FAULT != "stubborn":
            self.over.set()
        return ""

    def include(self, script: Path) -> None:
        """Note the image that a script loads, and what else it says."""
        text = script.read_text()
        for line in text.splitlines():
            record(f"  {line}")
        if found := re.search(r"^\$image\?=\$ORIGIN/(.*)$", text, re.MULTILINE):
            self.image = str(script.parent / found[1])

    async def open_terminal(self, port: int) -> str:
        """The UART's socket."""
        self.terminals += 1
        if FAULT == "busy for ever" or (FAULT == "busy once" and self.terminals == 1):
            return BUSY
        if FAULT != "no terminal":
            await asyncio.start_server(self.wire, "0.0.0.0", port)
        return ""

    async def wire(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From the UART's socket to the firmware."""
        self.uart = writer
        while self.firmware is None:
            await asyncio.sleep(0.01)
        assert self.firmware.stdin is not None
        while data := await reader.read(4096):
            with suppress(ConnectionError):
                self.firmware.stdin.write(data)

    async def start(self) -> None:
        """From the firmware to the UART's socket; a machine starts with whoever is connected."""
        if FAULT == "die at start":
            die("[ERROR] out of breath")
        if FAULT == "abort":
            print("[ERROR] cpu: CPU abort [PC=0x6010100]: Trying to execute", flush=True)
        command = ("sleep", "3600") if FAULT == "abort" else (self.image,)
        pipe = asyncio.subprocess.PIPE
        self.firmware = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        assert self.firmware.stdout is not None
        self.listener = asyncio.create_task(self.listen(self.firmware.stdout))

    async def listen(self, output: asyncio.StreamReader) -> None:
        """Pass on what the firmware sends."""
        sent = 0
        while data := await output.read(4096):
            sent += len(data)
            if FAULT == "die in the middle" and sent > 200:
                die("[ERROR] out of memory")
            while self.uart is None:
                await asyncio.sleep(0.01)
            self.uart.write(data)


def record(text: str) -> None:
    """Keep what was said for the test."""
    if name := os.environ.get("STANDIN_RECORD"):
        with Path(name).open("a") as file:
            file.write(text + "\n")


def die(last_words: str) -> None:
    """End as a program with a bug does."""
    print("10:00:00.0000 [INFO] all is well")
    print(last_words)
    print("  at Antmicro.Renode.Program.Main () [0x00001] in <0123>:0", flush=True)
    os._exit(3)


def main() -> None:
    """Be Renode."""
    parser = argparse.ArgumentParser()
    for flag in ("--disable-gui", "--plain"):
        parser.add_argument(flag, action="store_true", required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    record(f"pid {os.getpid()}")
    record(f"TMPDIR {os.environ['TMPDIR']}")
    if FAULT == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if FAULT == "die":
        die("[ERROR] no runtime here")
    if FAULT == "mute":
        time.sleep(3600)
    asyncio.run(Standin(port).serve())


if __name__ == "__main__":
    main()
