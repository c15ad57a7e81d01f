"""The customer's own page: a code that was sent to them is entered here, and never passes through a model.

A link proves nothing by itself and shows nothing about anybody; looking at the page changes nothing, so a mail scanner
that follows the link does no harm. A code is tried by posting it, a few times, and what it does goes through the gate.
"""

from collections.abc import Mapping
from html import escape
from string import Template
from typing import Protocol
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

PATH = "/verify"
MOST_BYTES = 1024
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="stylesheet" href="/verify/style.css">
</head>
<body>
<main>
<h1>$title</h1>
$body
</main>
</body>
</html>
""")
_FORM = Template("""<p>We have sent you a message with a six-digit code. It says what the code is for.
Enter it only if you asked for this yourself.</p>
$wrong
<form method="post" autocomplete="off">
<label for="code">Code from the message</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" maxlength="6"
 required autofocus $described>
<button>Confirm</button>
</form>
<p class="small">Nobody from the shop will ever call you for it.
If this was not you, close this page: nothing happens.</p>
""")
_WRONG = '<p id="wrong" class="wrong" role="alert">That was not the code. Look at the newest message and try again.</p>'
_STYLE = """:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; background: Canvas; color: CanvasText; }
main { max-width: 26rem; padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
input { font: inherit; font-size: 1.75rem; letter-spacing: .3em; width: 100%; box-sizing: border-box;
  padding: .4rem .6rem; border: 2px solid GrayText; border-radius: .4rem; background: Field; color: FieldText; }
button { font: inherit; font-weight: 600; margin-top: 1rem; width: 100%; padding: .7rem; border: 0;
  border-radius: .4rem; background: #0b57d0; color: #fff; cursor: pointer; }
input:focus-visible, button:focus-visible { outline: 3px solid #f0a020; outline-offset: 2px; }
.wrong { border-left: .3rem solid #b3261e; padding-left: .75rem; font-weight: 600; }
.small { font-size: .9rem; opacity: .75; }
"""


class Questions(Protocol):
    """Where the questions are that a code can answer."""

    async def is_open(self, question: str) -> bool:
        """Whether a code can still answer it."""
        ...

    async def entered(self, question: str, code: str) -> bool:
        """Try a code; whether it was right."""
        ...


def verify_routes(questions: Questions) -> list[Route]:
    """The page's routes."""

    async def style(_request: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    async def show(request: Request) -> Response:
        return _ask() if await questions.is_open(request.path_params["question"]) else _ended()

    async def answer(request: Request) -> Response:
        code = await _code(request)
        question = request.path_params["question"]
        if not await questions.is_open(question):
            return _ended()
        if code is not None and await questions.entered(question, code):
            return _page("Thank you", "<p>That is confirmed. You can close this page and go on where you were.</p>")
        return _ask(wrong=True) if await questions.is_open(question) else _ended()

    return [
        Route(f"{PATH}/style.css", style),
        Route(f"{PATH}/{{question}}", show, methods=["GET"]),
        Route(f"{PATH}/{{question}}", answer, methods=["POST"]),
    ]


async def _code(request: Request) -> str | None:
    """The six digits of a form; None for anything else."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    given = parse_qs(body.decode("ascii", "replace")).get("code", [""])
    code = given[0].strip()
    return code if len(given) == 1 and len(code) == 6 and code.isascii() and code.isdecimal() else None


def _ask(*, wrong: bool = False) -> HTMLResponse:
    described = 'aria-describedby="wrong" aria-invalid="true"' if wrong else ""
    form = _FORM.substitute(wrong=_WRONG if wrong else "", described=described)
    return _page("Please confirm", form, status=422 if wrong else 200)


def _ended() -> HTMLResponse:
    return _page(
        "This question has ended",
        "<p>It was answered, has expired, or was tried too often. If you still want this, ask in the conversation, and "
        "a new code will be sent.</p>",
        status=404,
    )


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.substitute(title=escape(title), body=body), status, headers=dict(_HEADERS))
