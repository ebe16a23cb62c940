"""Why something is in a function's archive: the chain of imports that leads to it."""

from collections.abc import Iterator, Mapping, Sequence

from adapters.packaging.contents import Plan
from adapters.packaging.libraries import distribution
from adapters.packaging.modules import Closure, Import, chain
from adapters.packaging.resolving import Pinned


def why(planned: Plan, asked: str) -> list[str]:
    """Lines that lead from the function's entry to a distribution, a library's module or a module of ours.

    Empty when it is not in the archive.
    """
    closure = planned.closure
    if asked in closure.modules:
        return [*_steps(chain(closure, asked)), asked]
    pinned = {each.name: each for each in planned.pinned}
    name = asked if asked in pinned else (distribution(asked) or "").partition("[")[0]
    if name not in pinned:
        return []
    return list(_lines(closure, planned.roots, pinned, name))


def _lines(
    closure: Closure, roots: Mapping[str, Sequence[str]], pinned: Mapping[str, Pinned], name: str
) -> Iterator[str]:
    down = _asked_by(pinned, roots, name)
    root = down[0]
    modules = next(found for each, found in roots.items() if each.partition("[")[0] == root)
    imports = sorted(
        (each for module in modules for each in closure.libraries[module]),
        key=lambda each: len(chain(closure, each.module)),
    )
    yield from _steps([*chain(closure, imports[0].module), imports[0]])
    yield " → ".join(f"{each} {pinned[each].version}" for each in down)
    others = sorted({f"{each.module}:{each.line}" for each in imports} - {f"{imports[0].module}:{imports[0].line}"})
    if others:
        yield f"also imported by {', '.join(others)}"


def _asked_by(pinned: Mapping[str, Pinned], roots: Mapping[str, Sequence[str]], name: str) -> list[str]:
    """The shortest way from a distribution that ours import to `name`, both with it."""
    direct = {each.partition("[")[0] for each in roots}
    ways = [[name]]
    seen = {name}
    while ways:
        way = ways.pop(0)
        if way[0] in direct:
            return way
        for above in pinned[way[0]].via:
            if above in pinned and above not in seen:
                seen.add(above)
                ways.append([above, *way])
    raise AssertionError(f"nothing asks for {name}")


def _steps(imports: Sequence[Import]) -> Iterator[str]:
    for each in imports:
        yield f"{each.module} line {each.line} imports {each.name}"
