"""A model's directory in somebody's own PlatformIO project."""

from pathlib import Path

from firmware_tests import guides
from firmware_tests.platformio.conftest import Generate, pio
from tinygen.board.file import load_board
from tinygen.firmware.target import choose_target

PAGE = Path(__file__).parents[2] / "docs" / "use-the-c-in-your-project.md"


def test_the_library_is_found_by_its_header(
    stand_ins: Path, generate: Generate, tmp_path: Path
) -> None:
    del stand_ins
    firmware = generate(choose_target(load_board("nucleo_f446re")), tmp_path / "firmware")
    own = tmp_path / "own"
    (own / "src").mkdir(parents=True)
    (own / "lib").mkdir()
    (firmware / "lib" / "residual").rename(own / "lib" / "residual")
    ini = next(b.text for b in guides.blocks(PAGE) if b.file == "pio_app/platformio.ini")
    board = (
        "platform = ststm32 @ ~19.6.0\nboard = nucleo_f446re\n"
        "platform_packages = platformio/toolchain-gccarmnoneeabi @ >=1.120201.0,<1.130000.0\n"
        "build_flags = -lnosys\n"
    )
    (own / "platformio.ini").write_text(ini.replace("platform = native\n", board))
    main = next(b.text for b in guides.blocks(PAGE) if b.file == "app/main.c")
    main = main.replace("digits", "residual").replace("DIGITS", "RESIDUAL")
    (own / "src" / "main.c").write_text(main)
    done = pio(own, "run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "residual" in done.stdout
    assert list(own.glob(".pio/build/*/lib*/libresidual.a"))
