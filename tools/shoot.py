"""Pictures of pages as readers see them, and what is wrong with them, for whoever changes a page.

Every FILE is photographed at 360, 768, 1200 and 1600 pixels, light and dark, whole: a long page in
tiles. Then every check of tests/helpers/browser_checks.py looks at it. Ends with 1 if one found
something. Needs Chromium, as the tests of pages do.

    python tools/shoot.py demo-report/demo.html --out shots
    python tools/shoot.py docs/learn/*.html --out shots --width 360 --scheme dark
    python tools/shoot.py report.html --no-pictures
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "helpers"))

from browser import Browser  # type: ignore[import-not-found]
from browser_checks import WIDTHS, audit, unfold  # type: ignore[import-not-found]

SCHEMES = ("light", "dark")
# Higher pictures are scaled down by what shows them.
TILE = 1500


def photograph(browser: Browser, file: Path, out: Path, widths: Sequence[int], scheme: str) -> int:
    """Write the pictures of one page in one scheme; return how many."""
    page, count = browser.open(file), 0
    unfold(page)
    page.prefer(scheme, "reduce")
    for width in widths:
        page.resize(width)
        page.settle()
        height = page.evaluate("document.documentElement.scrollHeight")
        for number, top in enumerate(range(0, max(1, height), TILE), start=1):
            name = f"{file.stem}-{width}-{scheme}-{number:02}.png"
            page.shoot(out / name, top, TILE)
            count += 1
    page.close()
    return count


def main(arguments: Sequence[str] | None = None) -> int:
    """Photograph and check pages; return 1 if a check found something."""
    summary, _, examples = (__doc__ or "").partition("\n\n    ")
    parser = argparse.ArgumentParser(
        description=summary,
        epilog="examples:\n    " + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="pages of this machine")
    parser.add_argument("--out", type=Path, default=Path("shots"), help="folder of the pictures")
    parser.add_argument("--width", type=int, nargs="+", default=WIDTHS, help="widths in CSS pixels")
    parser.add_argument("--scheme", nargs="+", choices=SCHEMES, default=SCHEMES)
    parser.add_argument("--no-pictures", action="store_true", help="only check")
    parser.add_argument("--no-checks", action="store_true", help="only photograph")
    given = parser.parse_args(arguments)
    if missing := [str(file) for file in given.files if not file.is_file()]:
        parser.error(f"no such file: {', '.join(missing)}")
    wrong = 0
    with Browser() as browser:
        for file in given.files:
            print(f"{file}: {file.stat().st_size:,} bytes")
            if not given.no_pictures:
                given.out.mkdir(parents=True, exist_ok=True)
                count = sum(photograph(browser, file, given.out, given.width, scheme)
                            for scheme in given.scheme)  # fmt: skip
                print(f"  {count} pictures in {given.out}")
            findings = [] if given.no_checks else audit(browser, file)
            wrong += len(findings)
            print("".join(f"  {text}\n" for text in findings) or "  nothing found")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
