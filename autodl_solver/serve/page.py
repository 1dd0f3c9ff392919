"""The page of a run: one self-contained HTML text, light and dark.

A status lies in the page as JSON, and the script of the page (script.py) draws it. Served, it asks for a newer status
each second; as a file it reloads itself until the run is over, since a browser lets no file read another.
What comes from a dataset never becomes markup: here it is escaped, the script only writes it as text. The policy of the
page lets a browser run this one script and load nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from autodl_solver.explain.style import STYLE
from autodl_solver.explain.wording import printable
from autodl_solver.serve.script import SCRIPT
from autodl_solver.serve.status_object import status_object
from autodl_solver.serve.style import MORE_STYLE

if TYPE_CHECKING:
    from autodl_solver.session import Status

RELOAD_S = 2
COLUMNS = ("stage", "at", "fit", "hold-out", "weight")

BODY = """<main>
<header>
<div><p class="kind">Learning run</p><h1>{title}</h1></div>
<p><b id="state"></b> <span id="clock"></span></p>
</header>
<progress id="share" max="1" aria-label="Share of the budget that is spent"></progress>
<noscript><p>A script draws this page; without one: hold-out score {score}, {n_stages} stages, {state}.</p></noscript>
<section class="figures">
<dl>
<div><dt>hold-out score</dt><dd id="score" class="hero"></dd></div>
<div><dt>stages</dt><dd id="n-stages"></dd></div>
<div class="wide"><dt>running now</dt><dd id="stage"></dd></div>
</dl>
<button id="stop" type="button" hidden>Stop and keep the best so far</button>
</section>
<p id="message" role="status"></p>
<section>
<svg id="curve" viewBox="0 0 920 320" role="img" aria-label="Hold-out score over log time"></svg>
<p>Hold-out score: 1 is perfect, 0 is chance (2 &middot; AUC &minus; 1, mean over classes). Time is logarithmic.</p>
</section>
<section class="scroll"><table><thead><tr>{columns}</tr></thead><tbody id="stages"></tbody></table></section>
<p id="written"></p>
</main>"""


def page_html(status: Status, title: str, is_live: bool) -> str:
    """The whole page as text.

    Args:
        status: what it shows first, or, as a file, at all.
        title: what the run is called.
        is_live: whether a server stands behind it; else it reloads itself.
    """
    reload = "" if is_live or status.state == "done" else f'<meta http-equiv="refresh" content="{RELOAD_S}">\n'
    # A header can forbid more (framing, say), and the served page has one.
    policy = "" if is_live else f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">\n'
    body = BODY.format(
        title=escape(printable(title)),
        score="none yet" if status.score != status.score else f"{status.score:.4f}",
        n_stages=status.n_stages,
        state=escape(status.state),
        columns="".join(f"<th>{name}</th>" for name in COLUMNS),
    )
    written = "" if is_live else f' data-written="{time.time():.0f}"'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{policy}{reload}'
        f'<link rel="icon" href="data:,">\n<title>{escape(printable(title))}</title>\n'
        f"<style>{_style()}</style>\n</head>\n"
        f'<body data-live="{"yes" if is_live else "no"}"{written}>\n{body}\n'
        f'<script type="application/json" id="status">{_embedded(status)}</script>\n'
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def header_policy() -> str:
    """The Content-Security-Policy of the served page."""
    return f"{_policy()}; connect-src 'self'; frame-ancestors 'none'"


def write_static_page(path: Path, status: Status, title: str = "autodl-solver") -> None:
    """Writes the page as a file that needs no server; a reader sees the page before or this one, never half a page.

    Raises:
        OSError: it cannot be written; an earlier page stands.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(page_html(status, title, is_live=False), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _policy() -> str:
    parts = ["default-src 'none'", f"script-src {_hash(SCRIPT)}", f"style-src {_hash(_style())}", "img-src data:"]
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def _style() -> str:
    return STYLE + MORE_STYLE


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _embedded(status: Status) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(status_object(status), allow_nan=False).replace("<", "\\u003c")
