"""Pages as files: a template, the style, the scripts and the content in one."""
import os
import re
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from gen_jax.embed import as_json
from gen_jax.report.files import finite

HERE = Path(__file__).parent


def page(title: str, content: dict, *scripts: str) -> bytes:
    """A self-contained page, in UTF-8. scripts: names of files here, without ".js", in the order that they need."""
    parts = {"TITLE": _escaped(_shown(title)), "STYLE": _read("style.css"), "CONTENT": as_json(_plain(content)),
             "SCRIPT": "\n".join(_read(f"{name}.js") for name in scripts)}
    html = _read("page.html")
    for name, text in parts.items():
        before, _, after = html.partition("{{" + name + "}}")  # at the marker of the template, whatever a part holds
        html = before + text + after
    return html.encode()


def link(path: PurePath) -> str:
    """What leads from a page to a file. path: as seen from the page's folder; any bytes may be in its names."""
    return f"./{quote(os.fsencode(path.as_posix()), safe='/=,')}"


def shortened(text: str, folder: str, name: str) -> str:
    """text with name in place of the absolute path of a folder, wherever a path in it begins with that."""
    if folder not in text or folder in ("/", "~", ""):  # the search below is slow, for a picture's text
        return text
    return re.sub(rf"(?<![\w+/.~-]){re.escape(folder)}(?![\w-]|\.\w)", lambda _: name, text)


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _plain(content: Any) -> Any:
    """content as JSON and UTF-8 can have it, also inside lists: what is no finite number is None."""
    if isinstance(content, (list, tuple)):
        return [_plain(item) for item in content]
    if isinstance(content, dict):
        return {key: _plain(item) for key, item in content.items()}
    return _shown(content) if isinstance(content, str) else finite(content)


def _shown(text: str) -> str:
    """text without the name of who has made the page, as far as it is in paths, and without what UTF-8 has not."""
    home = os.path.expanduser("~")
    for folder in (home, os.path.realpath(home)):
        text = shortened(text, folder, "~")
    return text.encode(errors="replace").decode()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
