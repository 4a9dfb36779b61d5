"""Pages as files: a template, the style, the scripts and the content in one."""
import json
from pathlib import Path
from typing import Any

from gen_jax.report.files import finite

HERE = Path(__file__).parent


def page(title: str, content: dict, *scripts: str) -> bytes:
    """A self-contained page, in UTF-8. scripts: names of files here, without ".js", in the order that they need."""
    parts = {"TITLE": _escaped(title), "STYLE": _read("style.css"), "CONTENT": _json(content),
             "SCRIPT": "\n".join(_read(f"{name}.js") for name in scripts)}
    html = _read("page.html")
    for name, text in parts.items():
        before, _, after = html.partition("{{" + name + "}}")  # at the marker of the template, whatever a part holds
        html = before + text + after
    return html.encode()


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _json(content: Any) -> str:
    """content as JSON that ends no script. What is no finite number is null."""
    return json.dumps(_plain(content), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _plain(content: Any) -> Any:
    """content without numbers that JSON has no word for, also inside lists."""
    if isinstance(content, (list, tuple)):
        return [_plain(item) for item in content]
    if isinstance(content, dict):
        return {key: _plain(item) for key, item in content.items()}
    return finite(content)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
