"""Makes `web/static/favicon.ico` from `icon.svg`, with the browser of the tests: `python -m tools.make_favicon`."""

import io

from PIL import Image
from playwright.sync_api import sync_playwright

from web.assets import STATIC

SIZES = (16, 32, 48)


def main() -> None:
    """Draws it in each size, so that its lines are as sharp as they can be."""
    svg = (STATIC / "icon.svg").read_text()
    pictures = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for size in SIZES:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>* {{ margin: 0 }} svg {{ display: block; width: {size}px }}</style>{svg}")
            pictures.append(Image.open(io.BytesIO(page.screenshot(omit_background=True))))
        browser.close()
    pictures[-1].save(STATIC / "favicon.ico", sizes=[(size, size) for size in SIZES], append_images=pictures[:-1])


if __name__ == "__main__":
    main()
