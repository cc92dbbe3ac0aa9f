# The build script of a stand-in platform, run by SCons inside of PlatformIO.
#
# It gives the flags that PlatformIO's own ststm32, nordicnrf51 and nordicnrf52 give to a project
# without a framework, and not one more: what builds here must not lean on the stand-in.
import sys

from SCons.Script import AlwaysBuild, Builder, Default, DefaultEnvironment

env = DefaultEnvironment()
board = env.BoardConfig()
nordic = env.PioPlatform().name.startswith("nordicnrf5")
core = ["-mthumb", "-mcpu=" + board.get("build.cpu")]

env.Replace(
    AR="arm-none-eabi-ar",
    AS="arm-none-eabi-as",
    CC="arm-none-eabi-gcc",
    CXX="arm-none-eabi-g++",
    OBJCOPY="arm-none-eabi-objcopy",
    RANLIB="arm-none-eabi-ranlib",
    SIZETOOL="arm-none-eabi-size",
    ARFLAGS=["rc"],
    SIZECHECKCMD="$SIZETOOL -A -d $SOURCES",
    SIZEPROGREGEXP=r"^(?:\.text|\.data|\.rodata|\.text.align|\.ARM.exidx)\s+(\d+).*",
    SIZEDATAREGEXP=r"^(?:\.data|\.bss|\.noinit)\s+(\d+).*",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
)
env.Append(
    ASFLAGS=core,
    ASPPFLAGS=["-x", "assembler-with-cpp"],
    CCFLAGS=["-Os", "-ffunction-sections", "-fdata-sections", "-Wall", *core],
    CXXFLAGS=["-fno-rtti", "-fno-exceptions"],
    CPPDEFINES=[("F_CPU", "$BOARD_F_CPU")],
    LINKFLAGS=["-Os", "-Wl,--gc-sections,--relax", *core],
    LIBS=["c", "gcc", "m", "stdc++"],
)
if nordic:
    env.Append(
        CCFLAGS=["-nostdlib"],
        LINKFLAGS=["--specs=nano.specs", "--specs=nosys.specs"],
        LIBS=["nosys"],
    )

FORMATS = {"bin": "binary", "hex": "ihex"}
suffix = "hex" if nordic else "bin"
convert = f"$OBJCOPY -O {FORMATS[suffix]} $SOURCES $TARGET"
action = env.VerboseAction(convert, "Building $TARGET")
env.Append(BUILDERS={"Convert": Builder(action=action, suffix="." + suffix)})

elf = env.BuildProgram()
image = env.Convert("$BUILD_DIR/${PROGNAME}", elf)
env.Depends(image, "checkprogsize")
AlwaysBuild(env.Alias("buildprog", image, image))

protocol = env.subst("$UPLOAD_PROTOCOL")
steps = []
if protocol == "serial":
    env.Replace(
        UPLOADER="stm32flash",
        UPLOADERFLAGS=["-g", "0x08000000", "-b", "115200", "-w"],
        UPLOADCMD='$UPLOADER $UPLOADERFLAGS "$SOURCE" "$UPLOAD_PORT"',
    )
    steps = [env.VerboseAction(env.AutodetectUploadPort, "Looking for upload port...")]
elif protocol in ("stlink", "cmsis-dap"):
    transport = "hla_swd" if protocol == "stlink" else "swd"
    target = board.get("debug.openocd_target", board.get("build.mcu")[:5])
    env.Replace(
        UPLOADER="openocd",
        UPLOADERFLAGS=[
            "-d1", "-f", f"interface/{protocol}.cfg", "-c", f"transport select {transport}",
            "-f", f"target/{target}.cfg", "-c", "program {$SOURCE}  verify reset; shutdown;",
        ],
        UPLOADCMD="$UPLOADER $UPLOADERFLAGS",
    )  # fmt: skip
elif protocol == "jlink":
    # SEGGER's own program, which nobody here has: an upload by it fails to start.
    env.Replace(UPLOADER="JLinkExe", UPLOADCMD="$UPLOADER $SOURCE")
if "UPLOADCMD" in env or protocol == "custom":
    steps.append(env.VerboseAction("$UPLOADCMD", "Uploading $SOURCE"))
else:
    sys.stderr.write(f"Warning! Unknown upload protocol {protocol}\n")
upload = elf if protocol == "stlink" else image
AlwaysBuild(env.Alias("upload", upload, steps))
Default([env.Alias("buildprog")])
