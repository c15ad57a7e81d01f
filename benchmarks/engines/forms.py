"""The engines Tillgate is measured against, each in the forms somebody would deploy.

A form is built from the rules of every tool in its language, and then answers a tool and a dict of facts with the
verdict. Whatever the engine needs for that, such as turning the dict into something of its own, belongs to the answer.
Engines are imported where they are built: each has an environment of its own, as three of them go by one name.
"""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from benchmarks.engines.rules import BODIES, Read, Rules

Ask: TypeAlias = Callable[[str, Mapping[str, Any]], Any]
Build: TypeAlias = Callable[[Mapping[str, Rules]], Ask]


@dataclass(frozen=True, slots=True)
class Form:
    """One engine in one form.

    `flat` forms are given the facts one by one, only those that the rules of the tool read, taken out of the groups by
    hand. Sizes beyond `most_rules` are left out, for the reason in `why`.
    """

    package: str
    version: str
    form: str
    dialect: str
    build: Build
    most_rules: int = 10_000
    why: str = ""

    @property
    def flat(self) -> bool:
        """Whether it takes facts one by one."""
        return self.dialect.endswith("-flat")

    @property
    def described(self) -> str:
        """The form, for people."""
        return f"{self.form}, facts one by one" if self.flat else self.form

    def built(self, rules: Mapping[str, Rules]) -> Ask:
        """The engine ready to be asked."""
        ask = self.build(rules)
        return _flattening(ask, rules) if self.flat else ask


def _flattening(ask: Ask, rules: Mapping[str, Rules]) -> Ask:
    reads = {tool: [Read(*read) for read in each["reads"]] for tool, each in rules.items()}
    needed = {tool: [(f"{r.group}_{r.name}", r.group, r.name) for r in found if not r.optional]
              for tool, found in reads.items()}  # fmt: skip
    optional = {tool: [read for read in found if read.optional] for tool, found in reads.items()}

    def flattened(tool: str, facts: Mapping[str, Any]) -> Any:
        flat = {variable: facts[group][name] for variable, group, name in needed[tool]}
        for group, name, _, _ in optional[tool]:
            flat[f"{group}_{name}"] = facts[group].get(name, 0)
            flat[f"{group}_{name}_known"] = name in facts[group]
        return ask(tool, flat)

    return flattened


# -- what several have in common


def _any(rules: Sequence[str], either: str) -> str:
    return either.join(f"({rule})" for rule in rules) or "false"


def _fused(rules: Rules, both: str, either: str, negated: str) -> str:
    """All rules of a tool as one expression that yields the verdict."""
    denied = f"{_any(rules['deny'], either)}{either}{negated.format(_any(rules['permit'], either))}"
    demands = [
        f'({each["unmet"]}){both}({_any(each["rules"], either)}) ? "{each["verdict"]}" : ' for each in rules["demands"]
    ]
    return f'({denied}) ? "deny" : {"(".join(demands)}"permit"{")" * max(0, len(demands) - 1)}'


def cel_fused(rules: Rules) -> str:
    """In CEL."""
    return _fused(rules, " && ", " || ", "!({})")


def zen_fused(rules: Rules) -> str:
    """In the expressions of ZEN."""
    return _fused(rules, " and ", " or ", "not ({})")


Compiled: TypeAlias = tuple[list[Any], list[Any], list[tuple[str, Any, list[Any]]]]


def _each(rules: Rules, compiled: Callable[[str], Any]) -> Compiled:
    """Every rule of a tool compiled on its own."""
    demands = [(each["verdict"], compiled(each["unmet"]), [*map(compiled, each["rules"])]) for each in rules["demands"]]
    return [*map(compiled, rules["deny"])], [*map(compiled, rules["permit"])], demands


def _walked(rules: Compiled, holds: Callable[[Any], bool]) -> str:
    deny, permit, demands = rules
    if any(map(holds, deny)) or not any(map(holds, permit)):
        return "deny"
    for verdict, unmet, found in demands:
        if holds(unmet) and any(map(holds, found)):
            return verdict
    return "permit"


# -- cel-expr-python; it returns errors as texts, which are truthy: only True itself is true


def _google(rules: Mapping[str, Rules]) -> Any:
    cel = importlib.import_module("cel_expr_python.cel")
    groups = {group for each in rules.values() for group, *_ in each["reads"]}
    return cel.NewEnv(variables=dict.fromkeys(groups, cel.Type.Map(cel.Type.STRING, cel.Type.DYN)))


def google_fused(rules: Mapping[str, Rules]) -> Ask:
    """One expression a tool, groups of facts as maps."""
    environment = _google(rules)
    programs = {tool: environment.compile(cel_fused(each)) for tool, each in rules.items()}
    return lambda tool, facts: programs[tool].eval(data=facts).plain_value()


def google_typed(rules: Mapping[str, Rules]) -> Ask:
    """One expression a tool, every fact a typed variable of its own."""
    cel = importlib.import_module("cel_expr_python.cel")
    types = {"bool": cel.Type.BOOL, "list": cel.Type.List(cel.Type.STRING)}
    types |= dict.fromkeys(("string", "enum"), cel.Type.STRING)
    programs: dict[str, Any] = {}
    for tool, each in rules.items():
        variables = {f"{group}_{name}": types.get(kind, cel.Type.INT) for group, name, kind, _ in each["reads"]}
        variables |= {f"{group}_{name}_known": cel.Type.BOOL for group, name, _, optional in each["reads"] if optional}
        programs[tool] = cel.NewEnv(variables=variables).compile(cel_fused(each))
    return lambda tool, facts: programs[tool].eval(data=facts).plain_value()


def google_each(rules: Mapping[str, Rules]) -> Ask:
    """An expression a rule, those of a tool asked in turn with one activation."""
    environment = _google(rules)
    programs = {tool: _each(each, environment.compile) for tool, each in rules.items()}

    def ask(tool: str, facts: Mapping[str, Any]) -> str:
        activation = environment.Activation(facts)
        return _walked(programs[tool], lambda program: program.eval(activation).plain_value() is True)

    return ask


# -- the others


def rust_fused(rules: Mapping[str, Rules]) -> Ask:
    """One expression a tool."""
    cel = importlib.import_module("cel")
    programs = {tool: cel.compile(cel_fused(each)) for tool, each in rules.items()}
    return lambda tool, facts: programs[tool].execute(facts)


def celpy_each(rules: Mapping[str, Rules]) -> Ask:
    """An expression a rule, those of a tool asked in turn."""
    celpy = importlib.import_module("celpy")
    environment = celpy.Environment()
    programs = {
        tool: _each(each, lambda text: environment.program(environment.compile(text))) for tool, each in rules.items()
    }

    def ask(tool: str, facts: Mapping[str, Any]) -> str:
        context = {group: celpy.json_to_cel(inside) for group, inside in facts.items()}
        return _walked(programs[tool], lambda program: bool(program.evaluate(context)))

    return ask


def zen_one(rules: Mapping[str, Rules]) -> Ask:
    """One expression a tool."""
    zen = importlib.import_module("zen")
    programs = {tool: zen.compile_expression(zen_fused(each)) for tool, each in rules.items()}
    return lambda tool, facts: programs[tool].evaluate(facts)


def zen_each(rules: Mapping[str, Rules]) -> Ask:
    """An expression a rule, those of a tool asked in turn."""
    zen = importlib.import_module("zen")
    programs = {tool: _each(each, zen.compile_expression) for tool, each in rules.items()}

    def ask(tool: str, facts: Mapping[str, Any]) -> str:
        return _walked(programs[tool], lambda program: program.evaluate(facts) is True)

    return ask


def cedar_sets(rules: Mapping[str, Rules]) -> Ask:
    """A parsed set of policies a tool. Every rule permits, and the names of those that do make the verdict."""
    cedarpy = importlib.import_module("cedarpy")
    entities = cedarpy.Entities.from_json_str("[]")
    sets = {tool: cedarpy.PolicySet.from_str("\n".join(_cedar(each))) for tool, each in rules.items()}
    kinds = {tool: _cedar_kinds(each) for tool, each in rules.items()}
    who = {"principal": 'Subject::"s"', "action": 'Action::"a"', "resource": 'Shop::"r"'}

    def ask(tool: str, facts: Mapping[str, Any]) -> str:
        answer = cedarpy.is_authorized({**who, "context": facts}, sets[tool], entities).diagnostics
        if answer.errors:
            raise ValueError(answer.errors[0])
        found = {kinds[tool][name] for name in answer.reasons}
        if "deny" in found or "permit" not in found:
            return "deny"
        return next((verdict for verdict in ("verify", "confirm", "escalate") if verdict in found), "permit")

    return ask


def _cedar(rules: Rules) -> Iterator[str]:
    texts = [*rules["deny"], *rules["permit"]]
    texts += [f"{each['unmet']} && ({text})" for each in rules["demands"] for text in each["rules"]]
    return (f"permit(principal, action, resource) when {{ {text} }};" for text in texts)


def _cedar_kinds(rules: Rules) -> dict[str, str]:
    """The engine calls policies by their place in the text."""
    demands = [each["verdict"] for each in rules["demands"] for _ in each["rules"]]
    kinds = ["deny"] * len(rules["deny"]) + ["permit"] * len(rules["permit"]) + demands
    return {f"policy{place}": kind for place, kind in enumerate(kinds)}


def rego_rvm(rules: Mapping[str, Rules]) -> Ask:
    """A compiled program a tool, on the engine's own virtual machine."""
    regorus = importlib.import_module("regorus")
    machines: dict[str, Any] = {}
    for tool, each in rules.items():
        machine = machines[tool] = regorus.Rvm()
        modules = [(f"{tool}.rego", _rego(tool, each))]
        machine.load_program(regorus.Program.compile_from_modules("{}", modules, [f"data.{tool}.verdict"]))

    def ask(tool: str, facts: Mapping[str, Any]) -> str:
        machine = machines[tool]
        machine.set_input_json(json.dumps(facts))
        return str(machine.execute()).strip('"')

    return ask


def rego_engine(rules: Mapping[str, Rules]) -> Ask:
    """A package a tool, interpreted."""
    regorus = importlib.import_module("regorus")
    engine = regorus.Engine()
    for tool, each in rules.items():
        engine.add_policy(f"{tool}.rego", _rego(tool, each))
    queries = {tool: f"data.{tool}.verdict" for tool in rules}

    def ask(tool: str, facts: Mapping[str, Any]) -> Any:
        engine.set_input(facts)
        return engine.eval_rule(queries[tool])

    return ask


def _rego(tool: str, rules: Rules) -> str:
    lines = [f"package {tool}", "import rego.v1", "default denied := false", "default permitted := false"]
    lines += _rego_rules("denied", "", rules["deny"]) + _rego_rules("permitted", "", rules["permit"])
    chain = ['verdict := "deny" if { denied }', '"deny" if { not permitted }']
    for place, each in enumerate(rules["demands"]):
        lines += [f"default asked{place} := false", *_rego_rules(f"asked{place}", f"{each['unmet']}; ", each["rules"])]
        chain.append(f'"{each["verdict"]}" if {{ asked{place} }}')
    return "\n".join([*lines, " else := ".join([*chain, '"permit"']), ""])


def _rego_rules(name: str, first: str, rules: Sequence[str]) -> list[str]:
    return [f"{name} if {{ {first}{body} }}" for rule in rules for body in rule.split(BODIES)]


GOOGLE, RUST = ("cel-expr-python", "0.1.3"), ("common-expression-language", "0.10.0")
ZEN, CEDAR = ("zen-engine", "2.1.3"), ("cedarpy", "4.12.2")
REGO, CELPY = ("gordon-to-regorus", "0.13.0"), ("cel-python", "0.5.0")

FORMS = (
    Form(*GOOGLE, "one expression a tool", "cel", google_fused),
    Form(*GOOGLE, "one expression a tool, typed", "cel-flat", google_typed),
    Form(*GOOGLE, "an expression a rule, indexed by tool", "cel", google_each),
    Form(*ZEN, "one expression a tool", "zen", zen_one),
    Form(*ZEN, "one expression a tool", "zen-flat", zen_one),
    Form(*ZEN, "an expression a rule, indexed by tool", "zen", zen_each),
    Form(*RUST, "one expression a tool", "cel", rust_fused),
    Form(*RUST, "one expression a tool", "cel-flat", rust_fused),
    Form(*REGO, "one compiled program a tool", "rego", rego_rvm),
    Form(*REGO, "one compiled program a tool", "rego-flat", rego_rvm),
    Form(*REGO, "interpreted, one package a tool", "rego", rego_engine),
    Form(*CEDAR, "one policy set a tool", "cedar", cedar_sets),
    Form(*CEDAR, "one policy set a tool", "cedar-flat", cedar_sets),
    Form(*CELPY, "an expression a rule, indexed by tool", "cel", celpy_each, 100, "milliseconds a decision"),
)
