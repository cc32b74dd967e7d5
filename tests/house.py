"""The rules of the house, checked from the files alone: nothing of the packages is imported.

Every check takes the checkout's root and gives offenders, each as a line that says what is wrong
where. A floor is a package right under one of the two packages, a room any package below it.
"""

import ast
import configparser
import itertools
import re
import tomllib
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import Path

PACKAGES = ("pilot_kernel", "qdreamer_lab")
FOLDERS = (*PACKAGES, "benchmarks", "tests")
MOST_LINES, LEAST_LINES, LONGEST_CHAIN = 400, 25, 12
NOT_MIRRORED = ("circuits", "pilot", "real")
"""Folders of tests that are about no one floor: circuits, whole pilots, browsers."""

REFUSING = re.compile(r"\b(not|no|nor|never|nothing|nobody|none|neither|only|without)\b", re.I)


class House:
    """The modules below a root by their dotted names, and what each of them imports."""

    def __init__(self, root, packages=PACKAGES):
        self.root = Path(root)
        self.files = {}
        for package in packages:
            for path in python_files(self.root, [package]):
                parts = path.relative_to(self.root).with_suffix("").parts
                self.files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path

    @property
    def floors(self):
        """Packages right under a package."""
        return [name for name in self.rooms if name.count(".") == 1]

    @property
    def rooms(self):
        """All packages but the outermost: floors, and rooms within them."""
        return [
            name
            for name, path in sorted(self.files.items())
            if path.name == "__init__.py" and "." in name
        ]

    def inside(self, package):
        """The modules and packages directly inside a package."""
        return [name for name in self.files if name.rpartition(".")[0] == package]

    @cached_property
    def imports(self):
        """Module -> modules, whether imported at its top, in a function, for types, or by text."""
        return {name: sorted(self._imported_by(name)) for name in self.files}

    def _imported_by(self, name):
        path = self.files[name]
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package.split(".")[: package.count(".") + 2 - node.level]
                start = [*above, node.module] if node.level else [node.module]
                base = ".".join(part for part in start if part)
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    found.add(inner if inner in self.files else base)
            elif isinstance(node, ast.Call) and _last_name(node.func) in _BY_TEXT and node.args:
                (first, *_) = node.args
                found |= {first.value} if isinstance(first, ast.Constant) else set()
        return found & self.files.keys() - {name}


_BY_TEXT = ("import_module", "__import__")


def _last_name(node):
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def python_files(root, folders):
    """All Python files of some folders, but those that Python itself wrote."""
    found = itertools.chain.from_iterable(sorted((root / each).rglob("*.py")) for each in folders)
    return [path for path in found if "__pycache__" not in path.parts]


def circles(root, packages=PACKAGES):
    """Modules that import each other, directly or by way of others."""
    groups = tangles(House(root, packages).imports)
    return [f"these import each other: {', '.join(group)}" for group in groups if len(group) > 1]


def tangles(graph):
    """The strongly connected parts of a graph, those that others lead to last (Kosaraju)."""
    order, seen = [], set()
    for start in sorted(graph):
        _visit(start, graph, seen, order)
    backwards = {name: [] for name in graph}
    for name, others in graph.items():
        for other in others:
            backwards[other].append(name)
    groups, seen = [], set()
    for start in reversed(order):
        if start not in seen:
            groups.append([])
            _visit(start, backwards, seen, groups[-1])
    return [sorted(group) for group in groups]


def _visit(start, graph, seen, order):
    """Append to `order` all that can be reached and was not seen before, each after its own."""
    stack = [(start, iter(graph[start]))] if start not in seen else []
    seen.add(start)
    while stack:
        name, others = stack[-1]
        for other in others:
            if other not in seen:
                seen.add(other)
                stack.append((other, iter(graph[other])))
                break
        else:
            order.append(name)
            stack.pop()


def long_chains(root, most=LONGEST_CHAIN, packages=PACKAGES):
    """Floors in which imports lead through too many modules; a circle counts as one module."""
    house, found = House(root, packages), []
    for floor in house.floors:
        modules = {name for name in house.files if name.startswith(f"{floor}.")}
        chain = longest_chain({m: [o for o in house.imports[m] if o in modules] for m in modules})
        if len(chain) > most:
            found.append(f"{floor}: {len(chain)} modules in a row, {' > '.join(chain)}")
    return found


def longest_chain(graph):
    """The longest way along imports."""
    groups = tangles(graph)
    place = {name: k for k, group in enumerate(groups) for name in group}
    best = [()] * len(groups)
    for k, group in reversed(list(enumerate(groups))):  # what is imported comes later in the list
        onwards = {place[other] for name in group for other in graph[name]} - {k}
        best[k] = (group[0], *max((best[j] for j in sorted(onwards)), key=len, default=()))
    return max(best, key=len, default=())


def wrong_sizes(root, folders=FOLDERS, most=MOST_LINES, least=LEAST_LINES):
    """Files that are too long to read, or too short to be found."""
    found = []
    for path in python_files(root, folders):
        lines = len(path.read_text().splitlines())
        short = lines < least and path.name not in ("__init__.py", "__main__.py")
        if lines > most or short:
            bound = f"less than {least}" if short else f"more than {most}"
            found.append(f"{path.relative_to(root)}: {lines} lines, {bound}")
    return found


def repeated_names(root, packages=PACKAGES):
    """File names that occur twice on a floor, other than in rooms side by side."""
    house, found = House(root, packages), []
    for floor in house.floors:
        places = defaultdict(list)
        for path in python_files(root, [floor.replace(".", "/")]):
            if path.name != "__init__.py":
                places[path.name].append(path.relative_to(root))
        found += [
            " and ".join(map(str, paths))
            for paths in places.values()
            if len({path.parent.parent for path in paths}) > 1
        ]
    return found


def unsaid_purposes(root, packages=(*PACKAGES, "benchmarks")):
    """Rooms whose docstring is not two sentences: what it is for, what it must not do."""
    house, found = House(root, packages), []
    for name in [*house.rooms, *(p for p in packages if p not in PACKAGES)]:
        text = ast.get_docstring(ast.parse(house.files[name].read_text())) or ""
        sentences = re.split(r"(?<=[.!?])\s+", text.strip())
        if len(sentences) != 2:
            found.append(f"{name}: {len(sentences) if text else 'no'} sentence(s), {text!r}")
        elif not REFUSING.search(sentences[1]):
            found.append(f"{name} does not say what it must not do: {sentences[1]!r}")
    return found


def unmirrored(root, packages=PACKAGES, exceptions=NOT_MIRRORED):
    """Folders of tests to which no floor or room corresponds."""
    found = []
    for folder in sorted({path.parent for path in python_files(root, ["tests"])}):
        inner = folder.relative_to(root / "tests")
        if not inner.parts or inner.parts[0] in exceptions:
            continue
        if not any((root / package / inner / "__init__.py").exists() for package in packages):
            found.append(f"tests/{inner}: no {' or '.join(f'{p}/{inner}' for p in packages)}")
    return found


def loose_folders(root, folders=FOLDERS):
    """Folders with Python files that are no packages."""
    parents = sorted({path.parent for path in python_files(root, folders)})
    return [f"{p.relative_to(root)}" for p in parents if not (p / "__init__.py").exists()]


def path_games(root, folders=("benchmarks", "tests")):
    """Files that change `sys.path`, or import what only a changed path would find."""
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    options = settings.get("tool", {}).get("pytest", {}).get("ini_options", {})
    found = ["pyproject.toml: pythonpath"] if "pythonpath" in options else []
    for path in python_files(root, folders):
        for node in ast.walk(ast.parse(path.read_text())):
            where = f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and _is_path_of_sys(node):
                found.append(f"{where}: sys.path")
            if isinstance(node, ast.ImportFrom) and node.level:
                found.append(f"{where}: a relative import")
            for name in _tops(node):
                beside = (path.parent / f"{name}.py", path.parent / name / "__init__.py")
                if path.parent != root and any(each.exists() for each in beside):
                    found.append(f"{where}: {name} is imported without its package")
    return found


def _is_path_of_sys(node):
    """Whether an attribute is `sys.path`."""
    return node.attr == "path" and isinstance(node.value, ast.Name) and node.value.id == "sys"


def _tops(node):
    """First parts of what is imported absolutely."""
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    absolute = isinstance(node, ast.ImportFrom) and not node.level
    return [node.module.partition(".")[0]] if absolute else []


def contracts(root):
    """The contracts of import-linter, each as its name and the modules that it orders or bounds.

    Names of layers lose their brackets, and gain their containers.
    """
    settings = configparser.ConfigParser()
    settings.read(root / ".importlinter")
    for section in settings.sections():
        if section.startswith("importlinter:contract:"):
            yield _contract(settings[section])


def _contract(contract):
    def listed(key):
        return contract.get(key, "").split("\n")[1:]

    layers = [name.strip("( )") for layer in listed("layers") for name in re.split(r"[|:]", layer)]
    around, ancestors = listed("containers"), listed("ancestors")
    ordered = [f"{box}.{name}" for box in around for name in layers] if around else layers
    if contract["type"] == "independence":
        ordered = listed("modules")
    named = [*around, *ancestors, *listed("source_modules")]
    named += listed("forbidden_modules") if contract["type"] == "forbidden" else ()
    return contract["name"], ordered, ancestors, named


def stale_contracts(root, packages=PACKAGES):
    """Contracts that name a module which is not there; a `*` stands for any part of a name."""
    house, found = House(root, packages), []
    for contract, ordered, _, named in contracts(root):
        for name in (*ordered, *named):
            wild = re.escape(name).replace(r"\*\*", ".+").replace(r"\*", r"[^.]+")
            ours = name.partition(".")[0] in packages
            if ours and not any(re.fullmatch(wild, each) for each in house.files):
                found.append(f"{contract!r} names {name}, which is not there")
    return found


def free_rooms(root, packages=PACKAGES):
    """Floors and rooms in which no contract says who may import whom.

    One that orders or separates two of the modules inside is wanted, where there are two.
    """
    house, inside, settled = House(root, packages), Counter(), set()
    for _, ordered, ancestors, _ in contracts(root):
        for package, count in Counter(name.rpartition(".")[0] for name in set(ordered)).items():
            inside[package] = max(inside[package], count)
        settled.update(ancestors)
    return [
        f"no contract orders what is in {name}"
        for name in house.rooms
        if len(house.inside(name)) > 1
        and inside[name] < 2
        and not any(f"{name}.".startswith(f"{each}.") for each in settled)
    ] + [
        f"no contract orders the floor {name}"
        for name in house.floors
        if not any(name in ordered for _, ordered, _, _ in contracts(root))
    ]


def vanished_files(root, document):
    """Files that a document names, by a path or the end of one, and that are not there."""
    there = {f"/{path.relative_to(root).as_posix()}" for path in Path(root).rglob("*.*")}
    named = re.findall(r"`([\w/]+\.(?:py|js))\b", (Path(root) / document).read_text())
    return [
        f"{document} names {name}, which is not there"
        for name in dict.fromkeys(named)
        if not any(path.endswith(f"/{name}") for path in there)
    ]
