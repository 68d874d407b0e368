"""A grammar of JavaScript, weighted towards what breaks hosts. The same Random gives the same text."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tools.fuzzing import wasm
from tools.fuzzing.builtins import Builtin, Kind, all_builtins
from tools.fuzzing.tables import table

VARIABLES = 8  # v0 … v7: what came of one call goes into the next
MOST_ARGUMENTS = 4
DEEPEST = 3
WEIGHTS = {"NUMBERS": 20, "STRINGS": 12, "PLAIN": 10, "BUFFERS": 10, "TRAPS": 12, "FUNCTIONS": 9, "HUGE": 3}
FIRST_WEIGHTS = {"PLAIN": 2, "BUFFERS": 3, "TRAPS": 4, "HUGE": 4, "FUNCTIONS": 1}  # of what variables are at first
OPERATORS = (
    *("+", "-", "*", "**", "/", "%", "<<", ">>>", ">>", "&", "|", "^", "<", ">=", "==", "==="),
    *("in", "instanceof", "??", "&&", "||", ","),
)


class Grammar:
    """Expressions and statements. `depth` is how many levels may still be opened."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def variable(self) -> str:
        """The name of one of the variables."""
        return f"v{self.random.randrange(VARIABLES)}"

    def value(self, depth: int = DEEPEST) -> str:
        """An expression that may stand anywhere an argument may."""
        pick = self.random.random()
        if pick < 0.2:
            return self.variable()
        if pick < 0.93 or depth <= 0:
            section = self.random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
            return self.random.choice(table("values")[section])
        forms = (self.call, self.literal, self.function, self.combination)
        return self.random.choice(forms)(depth - 1)

    def variables(self) -> list[str]:
        """Statements that give every variable its first value."""
        sections = self.random.choices(list(FIRST_WEIGHTS), weights=list(FIRST_WEIGHTS.values()), k=VARIABLES)
        first = [self.random.choice(table("values")[section]) for section in sections]
        lines = [f"try {{ v{number} = {value}; }} catch {{}}" for number, value in enumerate(first)]
        self.random.shuffle(lines)  # one may use up what there is
        return [f"var {', '.join(f'v{number}' for number in range(VARIABLES))};", *lines[: VARIABLES // 2]]

    def call(self, depth: int = DEEPEST) -> str:
        """A built-in, called or read."""
        builtin = self.random.choice(all_builtins())
        if builtin.family.startswith("WebAssembly") and self.random.random() < 0.5:
            return wasm.expression(self.random)
        if builtin.kind is Kind.READ:
            return f"({self.receiver(builtin)}){builtin.access}"
        if builtin.kind is Kind.WRITE:
            return f"(({self.receiver(builtin)}){builtin.access} = {self.value(depth - 1)})"
        return self.called(builtin, depth)

    def called(self, builtin: Builtin, depth: int) -> str:
        """A call of a function: on its own class or another, as a constructor, or by way of Reflect."""
        arguments, pick = self.arguments(builtin, depth), self.random.random()
        if builtin.is_method:
            if pick < 0.85 or builtin.owner.startswith("%"):
                return f"({self.receiver(builtin)}){builtin.access}({arguments})"
            return f"{builtin.path}.call({', '.join(filter(None, (self.value(0), arguments)))})"
        if builtin.is_class and pick < 0.85:
            return f"new {builtin.path}({arguments})"
        if builtin.is_class and pick < 0.92:
            return f"new (class extends {builtin.path} {{ constructor() {{ super({arguments}); v0 = this }} }})()"
        if builtin.is_class and pick < 0.96:
            return f"Reflect.construct({builtin.path}, [{arguments}], {self.value(0)})"
        return f"{builtin.path}({arguments})"

    def arguments(self, builtin: Builtin, depth: int) -> str:
        """About as many as the function has parameters; some that it hopes for, some it does not."""
        count = max(0, min(MOST_ARGUMENTS, builtin.length + self.random.choice((0, 0, 0, 0, 1, 1, -1, 2))))
        likely = _of_family("arguments", builtin)
        chosen = [
            self.random.choice(likely) if likely and self.random.random() < 0.5 else self.value(depth - 1)
            for _ in range(count)
        ]
        if self.random.random() < 0.03:
            chosen.append(f"...{self.value(0)}")
        return ", ".join(chosen)

    def receiver(self, builtin: Builtin) -> str:
        """What a method is called on: mostly of its class."""
        pick = self.random.random()
        if pick < 0.1:
            return self.value(0)
        if pick < 0.25:
            return self.variable()
        if builtin.owner == "%TypedArray":
            return self.random.choice(("Uint8Array", "Float64Array", "BigUint64Array"))
        known = table("receivers").get(builtin.family)
        if known:
            return self.random.choice(known)
        if builtin.is_method and not builtin.owner.startswith("%"):
            return f"new {builtin.family}({self.value(0) if self.random.random() < 0.5 else ''})"
        return self.value(0)

    def literal(self, depth: int) -> str:
        """An array, an object, a template or a regular expression made of other values."""
        first, second = self.value(depth), self.value(depth)
        forms = (
            f"[{first}, ...[{second}]]",
            f"({{a: {first}, get b() {{ return {second} }}, ['c']: {self.variable()}}})",
            f"{{...({first}), length: {self.random.choice(table('values')['NUMBERS'])}}}",
            f"`${{{first}}}${{{second}}}`",
            f"new RegExp({first}, 'gu')",
            f"Array({self.random.choice((9, 999, 99999))}).fill({first})",
        )
        return self.random.choice(forms)

    def function(self, depth: int) -> str:
        """A function that does something when it is called."""
        inside = self.statement(depth)
        forms = (
            f"() => {{ {inside} }}",
            f"function (a, b) {{ {inside} return a }}",
            f"async () => {{ await ({self.value(depth)}); {inside} }}",
            f"function* () {{ yield {self.value(depth)}; {inside} }}",
            f"class {{ static {{ {inside} }} get a() {{ {inside} }} }}",
        )
        return self.random.choice(forms)

    def combination(self, depth: int) -> str:
        """Two values and an operator, or one and a property."""
        first, second = f"({self.value(depth)})", f"({self.value(depth)})"
        operator = self.random.choice(OPERATORS)
        forms = (
            f"({first} {operator} {second})",
            f"{first}[{second}]",
            f"{first}?.[{second}]?.()",
            f"(typeof {first})",
        )
        return self.random.choice(forms)

    def statement(self, depth: int = DEEPEST) -> str:
        """One statement, on one line, that goes on after most exceptions."""
        shapes: tuple[Callable[[int], str], ...] = (self.loop, self.block, self.later, self.change)
        if depth <= 0 or self.random.random() < 0.7:
            return self.attempt(f"{self.variable()} = {self.call(depth)};")
        return self.random.choice(shapes)(depth - 1)

    def attempt(self, text: str) -> str:
        """A statement that swallows what it throws; sometimes it does not."""
        pick = self.random.random()
        if pick < 0.97:
            return f"try {{ {text} }} catch (error) {{ v7 = error }}"
        return text if pick < 0.985 else f"try {{ {text} }} finally {{ {self.variable()} = 1 }}"

    def loop(self, depth: int) -> str:
        """The same again and again: some are endless."""
        inside = self.statement(depth)
        forms = (
            f"for (let i = 0; i < {self.random.choice((3, 50, 2000))}; i++) {{ {inside} }}",
            f"for (const each of [1, {self.variable()}, 2]) {{ {inside} }}",
            f"try {{ for (const each of {self.value(0)}) {{ v0 = each; {inside} }} }} catch {{}}",
            f"for (const key in {self.value(0)}) {{ v1 = key; {inside} }}",
            f"for (;;) {{ {inside} }}",
            f"while (true) {{ try {{ {inside} }} finally {{ continue }} }}",
            f"for (let i = 0, a = []; i < 1e6; i++) {{ a.push({self.value(0)}); {inside} }}",
        )
        return self.random.choices(forms, weights=(12, 6, 4, 4, 1, 1, 1))[0]

    def block(self, depth: int) -> str:
        """Statements in each other: recursion, try, labels, classes, eval."""
        inside, value = self.statement(depth), self.value(depth)
        forms = (
            f"(function again(n) {{ {inside} if (n) again(n - 1) }})({self.random.choice((1, 9, 100, 100000))});",
            f"(() => {{ label: try {{ {inside} break label }} finally {{ {self.attempt('v0 = v1;')} }} }})();",
            f"try {{ throw {value} }} catch (error) {{ v5 = error; {inside} }}",
            f"try {{ eval({value}) }} catch {{}}",
            f"try {{ v6 = new Function('a', {value})(v0) }} catch {{}}",
            f"try {{ (0, eval)('{'(' * 50}' + ({value})) }} catch {{}}",
            f"try {{ Object.defineProperty({self.value(0)}, {self.value(0)}, {{ get() {{ {inside} }} }}) }} catch {{}}",
            f"(() => {{ {inside} }})();",
        )
        return self.random.choice(forms)

    def later(self, depth: int) -> str:
        """Something that happens after the program's main part."""
        inside, value = self.statement(depth), self.value(depth)
        forms = (
            f"setTimeout(() => {{ {inside} }}, {self.random.choice((0, 1, 20))});",
            f"queueMicrotask(() => {{ {inside} }});",
            f"Promise.resolve({value}).then((value) => {{ v2 = value; {inside} }}, () => {{}});",
            f"(async () => {{ for await (const each of {value}) {{ v3 = each; {inside} }} }})().catch(() => {{}});",
            f"(function again() {{ queueMicrotask(again); {inside} }})();",
            f"(function again() {{ setTimeout(again); {inside} }})();",
            f"setInterval(() => {{ {inside} }}, {self.random.choice((1, 5))});",
            f"addEventListener('unhandledrejection', (event) => {{ {inside} }});",
        )
        return self.random.choices(forms, weights=(6, 6, 6, 4, 1, 1, 2, 1))[0]

    def change(self, depth: int) -> str:
        """A built-in or a prototype is not what it was."""
        builtin = self.random.choice(all_builtins())
        owner = "Uint8Array" if builtin.owner.startswith("%") else builtin.owner
        target = f"{owner}{builtin.access}"
        forms = (
            f"{target} = {self.value(depth)};",
            f"delete {target};",
            f"Object.defineProperty({owner}, {builtin.name!r}, {{ get() {{ {self.statement(depth)} }} }});",
            f"Object.setPrototypeOf({owner}, {self.value(0)});",
            f"{self.variable()}.__proto__ = {self.value(0)};",
            f"{self.variable()}[{self.value(0)}] = {self.value(0)};",
            f"Array.prototype[{self.random.choice((0, 1, 7))}] = {self.value(0)};",
        )
        return f"try {{ {self.random.choice(forms)} }} catch {{}}"


def _of_family(name: str, builtin: Builtin) -> tuple[str, ...]:
    """The section of a class, or of the namespace it is in."""
    sections = table(name)
    return sections.get(builtin.family) or sections.get(builtin.family.split(".")[0], ())
