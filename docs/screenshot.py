"""Makes the README's picture: `python docs/screenshot.py PROJECT docs/screenshot.svg` (safelight demo makes a project)."""

import asyncio
import sys
from pathlib import Path

from tui.app import Options, Workbench


async def picture(project: Path, file: Path) -> None:
    """The train room of the project's newest run, once its curve and previews are drawn."""
    app = Workbench(project, room="train", options=Options())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(4)
        file.write_text(app.export_screenshot(title="safelight"))


if __name__ == "__main__":
    asyncio.run(picture(Path(sys.argv[1]).resolve(), Path(sys.argv[2])))
