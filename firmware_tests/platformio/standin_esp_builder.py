# The build script of a stand-in espressif32 platform, for its upload alone, run by SCons inside of
# PlatformIO.
#
# Its image is the project's model compiled by Debian's compiler for another Xtensa core: it runs
# nowhere. What is real is the upload: the flags that espressif32 gives to esptool, and esptool.
from pathlib import Path

from SCons.Script import AlwaysBuild, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
cross = "xtensa-lx106-elf-"
link = "-mlongcalls -nostdlib -Wl,-e0 -Wl,--unresolved-symbols=ignore-all -Wl,-Ttext=0x400D0020"
env.Append(
    BUILDERS={
        "Image": Builder(action=f"{cross}gcc -O2 -w {link} -o $TARGET $SOURCES", suffix=".elf"),
        "Raw": Builder(action=f"{cross}objcopy -O binary $SOURCES $TARGET", suffix=".bin"),
    }
)
model = sorted(map(str, Path(env.subst("$PROJECT_DIR"), "lib").glob("*/*.c")))
image = env.Raw("$BUILD_DIR/firmware", env.Image("$BUILD_DIR/firmware", model))
AlwaysBuild(env.Alias("buildprog", image, image))

esptool = Path(env.PioPlatform().get_package_dir("tool-esptoolpy"), "esptool.py")
env.Replace(
    UPLOADER=str(esptool),
    UPLOADERFLAGS=[
        "--chip", board.get("build.mcu"), "--port", '"$UPLOAD_PORT"', "--baud", "460800",
        "--before", "default_reset", "--after", "hard_reset",
        "write_flash", "-z", "--flash_mode", "dio", "--flash_freq", "40m",
        "--flash_size", "detect",
    ],
    UPLOADCMD='"$PYTHONEXE" "$UPLOADER" $UPLOADERFLAGS 0x10000 $SOURCE',
)  # fmt: skip
steps = [
    env.VerboseAction(env.AutodetectUploadPort, "Looking for upload port..."),
    env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE"),
]
AlwaysBuild(env.Alias("upload", image, steps))
Default([env.Alias("buildprog")])
