"""The house: rooms import from rooms at or below them, and every setting is read by some code."""
import ast
import re
from functools import cache
from pathlib import Path

import gen_jax
from gen_jax.config import RUN
from gen_jax.find import ENTRY, find, names

PACKAGE = Path(gen_jax.__file__).parent
FLOORS = [  # from the ground up
    {"errors", "types", "find", "keys", "settings", "folders", "memory", "runtime", "grids", "style", "net", "parts",
     "identity", "config", "stored", "whole", "protocol", "child", "cgroup", "embed"},
    {"data"}, {"layers"}, {"terms"}, {"models", "objectives", "optimizers"}, {"training"}, {"experiment"}, {"judges"},
    {"evals"}, {"report"}, {"runs", "sweeps"}, {"compare"}, {"asking"}, {"loaded"}, {"pages"}, {"command_line"},
    {"modes"},
]
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
FILES = {".".join(("gen_jax", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
         for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module):
    return ast.parse(FILES[module].read_text())


@cache
def imported(module):
    """The modules of gen_jax that a module names in its imports, also inside functions."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in FILES else node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name in FILES} - {"gen_jax"}


def room(module):
    return module.split(".")[1]


def test_rooms_import_from_rooms_at_or_below_them():
    above = {module: others for module in FILES if module != "gen_jax"
             if (others := {other for other in imported(module) if FLOOR[room(other)] > FLOOR[room(module)]})}
    assert not above


def test_no_module_imports_itself_by_way_of_others():
    def way(module, end, seen):
        for other in imported(module) - seen:
            seen.add(other)
            if other == end or (rest := way(other, end, seen)):
                return [other] if other == end else [other, *rest]
        return []
    circles = {module: circle for module in FILES if (circle := way(module, module, set()))}
    assert not circles


def test_a_part_can_be_taken_out_of_its_room():
    """Of the other parts it imports only what it builds on, which is said here."""
    builds_on = {"gen_jax.data.stacked_mnist": {"gen_jax.data.tfds"},
                 "gen_jax.objectives.autoencoder": {"gen_jax.objectives.elbo"},
                 "gen_jax.evals.latent.arithmetic": {"gen_jax.evals.latent.concepts"},
                 "gen_jax.evals.samples.samples_over_time": {"gen_jax.evals.samples.samples"}}
    for kind in ENTRY:
        paths = {find(kind, name).__name__ for name in names(kind)}
        for module in paths:
            others = (imported(module) & paths) - {module} - builds_on.get(module, set())
            assert not others, f"{module} imports {others}"


@cache
def reads(module):
    """(what it is read of, name) of each attribute, and each name in hp.get("name"), that a module reads."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.add((ast.unparse(node.value), node.attr))
        match node:
            case ast.Call(func=ast.Attribute(value=of, attr="get"), args=[ast.Constant(value=name), *_]):
                found.add((ast.unparse(of), name))
    return found


def read(key, of, modules):
    return any(name == key and re.search(of, what) for module in modules for what, name in reads(module))


def readers(module, kind):
    """Where a part's settings are read: its file, what that imports, their packages, what these import, and who has
    sections of its room."""
    own = {module, *imported(module)}
    packages = {".".join(name.split(".")[:i]) for name in own for i in range(2, name.count(".") + 1)}
    owners = {other for other in FILES if re.search(rf"room=['\"]{re.escape(kind)}['\"]", FILES[other].read_text())}
    return own | packages | owners | {other for name in packages for other in imported(name)}


PARTS = [(kind, name) for kind in ENTRY for name in names(kind) if hasattr(find(kind, name), "hp")]


def test_every_setting_of_a_part_is_read():
    unread = [f"{kind}/{name}: {key}" for kind, name in PARTS for key in find(kind, name).hp.settings
              if not read(key, r"(^|\.)(hp|own|config)\b", readers(find(kind, name).__name__, kind))]
    assert not unread


def test_every_setting_of_a_run_is_read():
    unread = [f"{section}.{key}" for section, settings in RUN.items() for key in settings.settings
              if not read(key, rf"(^|\.)({section}|hp)$|config\[name\]$", FILES)]
    assert not unread


def test_every_setting_has_a_meaning_and_keeps_its_own_rule():
    for kind, name in PARTS:
        hp = find(kind, name).hp
        assert hp.name == name
        assert all(setting.meaning for setting in hp.settings.values()), name
        assert not list(hp.faults(hp(), kind)), f"{name}: its own defaults"
        assert not list(hp.faults(hp(**hp.smoke), kind)), f"{name}: what makes it tiny"
