"""Which protocol fits the laws: the one named, the default, or the one that has the parameters given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from normlaw_registry import (
    AnalysisProtocol,
    AnalysisWarning,
    Catalogue,
    InputError,
    Params,
    validate_params,
)
from normlaw_registry.errors import suggestion
from normlaw_registry.host.fitting import context_for, default_protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from normlaw.analysis.options import Options


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A protocol with its params."""

    protocol: AnalysisProtocol
    params: Params
    notes: tuple[AnalysisWarning, ...] = ()
    """`protocol_by_option` where it is not the default, though nobody named it."""


def choose(options: Options, catalogue: Catalogue) -> Chosen:
    """Return the protocol that is asked for, and its params.

    Where none is named and the default lacks a parameter that is given, the one installed protocol that has all
    that are given is taken: what was written for another default keeps its meaning.

    Raises:
        UnknownComponentError: there is none of the name, or a fitter that it uses is not installed.
        InputError: it has no such parameter, a value is not allowed, or one is given twice; or no protocol is
            named, and of those installed none, or several, are taken by default or have the parameters given.

    """
    flags, values = options.flags(), dict(options.protocol_params)
    notes: tuple[AnalysisWarning, ...] = ()
    if options.protocol is not None:
        protocol = catalogue.get(AnalysisProtocol, options.protocol)
    else:
        protocol = default = default_protocol(catalogue)
        given = {name: f"--{name.replace('_', '-')}" for name in flags} | {name: name for name in values}
        if not set(given) <= set(_parameters(protocol)):
            protocol = _with_parameters(given, default, catalogue)
            notes = (_taken_by_option(given, protocol, default),)
    for name, value in flags.items():
        if name not in _parameters(protocol):
            raise InputError(
                f"protocol {protocol.name!r} has no parameter {name!r}, which --{name.replace('_', '-')} sets: "
                f"{suggestion(name, _parameters(protocol))}"
            )
        if name in values:
            raise InputError(f"protocol {protocol.name!r}: {name} is given twice, once by its own option")
        values[name] = value
    params = validate_params(protocol, values)
    context_for(protocol, catalogue)
    return Chosen(protocol=protocol, params=params, notes=notes)


def _with_parameters(
    given: dict[str, str], default: AnalysisProtocol, catalogue: Catalogue
) -> AnalysisProtocol:
    """Return the one protocol that has all parameters given, which the default has not.

    Args:
        given: how each parameter was written, by its name.
        default: named in the messages.
        catalogue: of all that is installed.

    """
    protocols = [catalogue.get(AnalysisProtocol, name) for name in catalogue.names(AnalysisProtocol)]
    holders = {name: [p.name for p in protocols if name in _parameters(p)] for name in given}
    for name, having in holders.items():
        if not having:
            known = sorted({parameter for p in protocols for parameter in _parameters(p)})
            raise InputError(f"no protocol has a parameter {name!r}: {suggestion(name, known)}")
    fitting = [p for p in protocols if all(p.name in having for having in holders.values())]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise InputError(
            f"{_listed(given.values())}: parameters of the protocols {_listed(repr(p.name) for p in fitting)}, "
            f"not of the default, {default.name!r}: name the one that is meant with --protocol"
        )
    whose = "; ".join(f"{given[name]} of {_listed(map(repr, having))}" for name, having in holders.items())
    raise InputError(f"these are parameters of different protocols, {whose}: give those of one")


def _taken_by_option(
    given: dict[str, str], protocol: AnalysisProtocol, default: AnalysisProtocol
) -> AnalysisWarning:
    return AnalysisWarning(
        code="protocol_by_option",
        message=f"the protocol {protocol.name!r} was taken, because the default, {default.name!r}, has no "
        f"{_listed(given.values())}",
    )


def _parameters(protocol: AnalysisProtocol) -> list[str]:
    return list(protocol.params.model_fields)


def _listed(words: Iterable[str]) -> str:
    """Return words as a sentence has them.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
