"""`package`: what a cloud runs, as archives, one for each function."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import AsJson
from adapters.cli.terminal import MISUSED, Failed, print_json, print_table, say
from adapters.packaging.target import Arch, Cloud

if TYPE_CHECKING:
    from adapters.packaging.building import Built
    from adapters.packaging.job import Job
    from functions.manifest import Function

_MIB = 1024 * 1024


def package(
    *,
    cloud: Annotated[Cloud, typer.Option(help="Where the functions are to run.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder for the archives and package.json; it then holds nothing else.")
    ] = None,
    function: Annotated[
        list[str] | None, typer.Option(help="This function of the suite only. Repeatable.", show_default="all")
    ] = None,
    arch: Annotated[
        Arch | None,
        typer.Option(help="The processor. Azure and Google run x86_64 only.", show_default="arm64 on AWS"),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option(
            help="The runtime's Python: a version or a path of this machine.", show_default="the one that runs"
        ),
    ] = None,
    glibc: Annotated[
        str | None,
        typer.Option(help="The oldest C library they must run on, such as 2.28.", show_default="the runtime's"),
    ] = None,
    check: Annotated[bool, typer.Option(help="Import each from its archive, where this machine can run it.")] = True,
    why: Annotated[
        str | None, typer.Option(metavar="PACKAGE", help="Package nothing; say which imports bring PACKAGE along.")
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Where what was fetched and compiled is kept.", show_default="~/.cache")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Archives that a cloud runs, one for each function, the same bytes each time, and package.json beside them."""
    functions = _chosen(function)
    job = _job(cloud, arch, python, glibc, cache)
    if why is not None:
        _explain(job, functions, why, as_json)
        return
    if out is None:
        raise Failed("say where the archives are to go: --out DIR", MISUSED)
    _make(job, functions, out, check, as_json)


def _make(job: "Job", functions: Sequence["Function"], out: Path, check: bool, as_json: bool) -> None:
    from adapters.packaging.building import build

    target = job.target
    say(f"Packaging {len(functions)} functions for {target.cloud}, {target.runtime} on {target.arch}")
    if check and not target.runs_here:
        say(f"This machine cannot run {target.arch} with glibc {_dotted(target.glibc)}: no archive is tried.")
    built = build(job, functions, out, check=check and target.runs_here)
    if as_json:
        print_json([_told(each) for each in built])
        return
    rows = [(each.function.name, each.zipped / _MIB, each.unpacked / _MIB, _largest(each)) for each in built]
    print_table(f"{out}: sizes in MiB", ("function", "zipped", "unpacked", "the largest parts"), rows)


def _explain(job: "Job", functions: Sequence["Function"], asked: str, as_json: bool) -> None:
    from adapters.packaging.building import plans
    from adapters.packaging.why import why

    answers = {each.function.name: why(each, asked) for each in plans(job, functions)}
    if as_json:
        print_json(answers)
        return
    for name, lines in answers.items():
        typer.echo(f"{name}: {asked} is not in it." if not lines else f"{name}:")
        for line in lines:
            typer.echo(f"  {line}")


def _chosen(names: Sequence[str] | None) -> list["Function"]:
    from functions.manifest import FUNCTIONS

    known = {each.name: each for each in FUNCTIONS}
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise Failed(f"there is no function {', '.join(unknown)}; there are {', '.join(known)}.", MISUSED)
    return [known[name] for name in dict.fromkeys(names)] if names else list(FUNCTIONS)


def _job(cloud: Cloud, arch: Arch | None, python: str | None, glibc: str | None, cache: Path | None) -> "Job":
    import adapters
    from adapters.packaging.cache import Cache, default_folder
    from adapters.packaging.job import Job
    from adapters.packaging.pythons import choose_python
    from adapters.packaging.target import Target, choose_arch, parse_version, runtime_glibc

    chosen_arch = choose_arch(cloud, arch)
    with_python = choose_python(cloud, python)
    oldest = parse_version(glibc, "--glibc") if glibc else runtime_glibc(cloud, with_python.version)
    target = Target(cloud, chosen_arch, with_python.version, oldest)
    project = Path(str(adapters.__file__)).resolve().parent.parent
    return Job(target, with_python, project, Cache(cache or default_folder()), say)


def _told(each: "Built") -> dict[str, object]:
    return {
        "function": each.function.name,
        "archive": str(each.path),
        "zipped_bytes": each.zipped,
        "unpacked_bytes": each.unpacked,
        "sha256": each.sha256,
        "unpacked_bytes_by_distribution": {name or "grandstand": size for name, size in each.by_distribution.items()},
    }


def _largest(each: "Built") -> str:
    parts = list(each.by_distribution.items())[:4]
    return ", ".join(f"{name or 'ours'} {size / _MIB:.1f}" for name, size in parts)


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
