"""Runs pages in headless Chromium: what a script finds there, and pictures."""

import html
import json
import re
import shutil
import subprocess
import tempfile

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--force-device-scale-factor=1"),
)
RESULT = """<script>
{
  const done = document.createElement("pre");
  done.id = "result";
  try {
    done.textContent = JSON.stringify((() => { %s })());
  } catch (error) {
    done.textContent = JSON.stringify({ error: String(error.stack) });
  }
  document.body.append(done);
}
</script>"""


def _run(page, *options, size="1400,900"):
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", f"--window-size={size}"]
        done = subprocess.run(
            [*command, *options, page.as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    return done.stdout


def found_by(text, script, folder, size="1400,900"):
    """Return what the body of a JavaScript function returns, run behind a page."""
    page = folder / "page.html"
    page.write_text(text.replace("</body>", RESULT % script + "</body>"), encoding="utf-8")
    dom = _run(page, "--dump-dom", size=size)
    found = re.findall(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)
    assert found, f"the page's own script failed: {dom[-2000:]}"
    result = json.loads(html.unescape(found[-1]))
    assert not (isinstance(result, dict) and "error" in result), result
    return result


def picture(text, file, script="", size="1400,900"):
    """Write a picture of a page, after a script has run behind it."""
    page = file.with_suffix(".html")
    page.write_text(text.replace("</body>", RESULT % script + "</body>"), encoding="utf-8")
    return picture_of(page, file, size=size)


def picture_of(page, file, size="1400,900"):
    """Write a picture of a page that lies in a file."""
    _run(page, f"--screenshot={file}", "--virtual-time-budget=3000", size=size)
    return file
