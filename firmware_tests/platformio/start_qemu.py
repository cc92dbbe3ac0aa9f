"""An uploader for PlatformIO: starts QEMU with the image that it is given.

The environment says how: QEMU_COMMAND, a list in JSON, and QEMU_PID, the file for the process's
number. The emulator outlives the upload, as a board does.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    command = [*json.loads(os.environ["QEMU_COMMAND"]), "-kernel", sys.argv[1]]
    process = subprocess.Popen(
        command, start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    Path(os.environ["QEMU_PID"]).write_text(str(process.pid))
    print("started", command[0])
