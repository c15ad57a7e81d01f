"""Reads a condition into its syntax by CEL's own grammar and precedence; its depth is limited, so no input can hurt."""

from collections.abc import Callable

from tillgate.guards.policy.expression import Span
from tillgate.guards.policy.lexer import INT64, SyntaxProblem, Token, tokens
from tillgate.guards.policy.syntax import (
    Binary,
    Call,
    ListOf,
    Literal_,
    Logic,
    Name,
    Negation,
    Select,
    Syntax,
    Ternary,
    children,
)

MAX_DEPTH = 32
"""Levels of nesting in one condition."""

_RELATIONS = ("==", "!=", "<=", ">=", "<", ">")
_RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "let"}
    | {"loop", "package", "namespace", "return", "var", "void", "while"}
)


def parse(text: str) -> Syntax:
    """The syntax of one condition. Raises SyntaxProblem."""
    parser = _Parser(tokens(text))
    node = parser.whole()
    check_depth(node)
    return node


def check_depth(root: Syntax) -> None:
    """Raises SyntaxProblem for what nests too deep; chains like `a + b + c` lean left without nested calls."""
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(node.span)
        pending.extend((child, depth + 1) for child in children(node))


def _too_deep(span: Span) -> SyntaxProblem:
    hint = "split it into several rules"
    return SyntaxProblem("P021", f"a condition nests at most {MAX_DEPTH} levels", span, hint)


class _Parser:
    """Recursive descent over the tokens of one condition."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    def whole(self) -> Syntax:
        """The one expression, and nothing after it."""
        if self._at_end:
            raise SyntaxProblem("P020", "the condition is empty", self._peek.span, "leave `when` out instead")
        node = self._expression()
        if not self._at_end:
            raise self._unexpected("an operator or the end")
        return node

    @property
    def _peek(self) -> Token:
        return self._tokens[self._at]

    @property
    def _at_end(self) -> bool:
        return self._peek.kind == "end"

    def _is(self, *ops: str) -> bool:
        return self._peek.kind == "op" and self._peek.text in ops

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _expect(self, op: str) -> Token:
        if not self._is(op):
            raise self._unexpected(f"`{op}`")
        return self._take()

    def _unexpected(self, wanted: str) -> SyntaxProblem:
        token = self._peek
        if token.kind == "end":
            # The last character carries the caret: the end itself is outside the text.
            span = Span(max(0, token.span.start - 1), max(1, token.span.start))
            return SyntaxProblem("P020", f"the condition ends here, but {wanted} is missing", span)
        return SyntaxProblem("P020", f"unexpected `{token.text}`; expected {wanted}", token.span, _habit(token))

    def _expression(self) -> Syntax:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _too_deep(self._peek.span)
        node = self._logic("||", lambda: self._logic("&&", self._relation))
        if self._is("?"):
            self._take()
            then = self._logic("||", lambda: self._logic("&&", self._relation))
            self._expect(":")
            other = self._expression()
            node = Ternary(node, then, other, Span(node.span.start, other.span.end))
        self._depth -= 1
        return node

    def _logic(self, op: str, operand: Callable[[], Syntax]) -> Syntax:
        items = [operand()]
        while self._is(op):
            self._take()
            items.append(operand())
        if len(items) == 1:
            return items[0]
        span = Span(items[0].span.start, items[-1].span.end)
        return Logic("&&" if op == "&&" else "||", tuple(items), span)

    def _relation(self) -> Syntax:
        node = self._sum()
        while self._is(*_RELATIONS) or (self._peek.kind == "name" and self._peek.text == "in"):
            node = self._binary(node, self._sum)
        return node

    def _sum(self) -> Syntax:
        node = self._product()
        while self._is("+", "-"):
            node = self._binary(node, self._product)
        return node

    def _product(self) -> Syntax:
        node = self._unary()
        while self._is("*", "/", "%"):
            node = self._binary(node, self._unary)
        return node

    def _binary(self, left: Syntax, operand: Callable[[], Syntax]) -> Syntax:
        op = self._take().text
        right = operand()
        return Binary(op, left, right, Span(left.span.start, right.span.end))

    def _unary(self) -> Syntax:
        if self._is("!"):
            bang = self._take()
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise _too_deep(bang.span)
            operand = self._unary() if self._is("!") else self._member()
            self._depth -= 1
            return Negation(operand, Span(bang.span.start, operand.span.end))
        if self._is("-"):
            minus = self._take()
            if self._peek.kind != "int":
                hint = "write `0 - x`"
                raise SyntaxProblem("P019", "only a number can be negated with `-`", minus.span, hint)
            return self._number(self._take(), minus)
        return self._member()

    def _member(self) -> Syntax:
        node = self._primary()
        while self._is(".", "[", "{"):
            if not self._is("."):
                raise self._unsupported_bracket()
            self._take()
            if self._peek.kind != "name":
                raise self._unexpected("a name")
            name = self._take()
            if self._is("("):
                node = self._call(name, node)
            else:
                span = Span(node.span.start, name.span.end)
                node = Select(node, name.text, name.span, span)
        return node

    def _unsupported_bracket(self) -> SyntaxProblem:
        token = self._peek
        if token.text == "{":
            return SyntaxProblem("P019", "maps are not part of the policy language", token.span)
        hint = "use `x in list`, or list.exists(x, …)"
        return SyntaxProblem("P019", "`[…]` after a value is not part of the policy language", token.span, hint)

    def _primary(self) -> Syntax:
        token = self._peek
        if token.kind == "int":
            return self._number(self._take(), None)
        if token.kind == "string":
            self._take()
            return Literal_(token.text, token.span)
        if token.kind == "name" and token.text != "in":
            return self._named(self._take())
        if self._is("("):
            self._take()
            inner = self._expression()
            self._expect(")")
            return inner
        if self._is("["):
            return self._list()
        if self._is("{"):
            raise self._unsupported_bracket()
        raise self._unexpected("a value")

    def _number(self, token: Token, minus: Token | None) -> Literal_:
        span = Span(minus.span.start if minus else token.span.start, token.span.end)
        value = -int(token.text) if minus else int(token.text)
        if not -INT64 <= value < INT64:
            raise SyntaxProblem("P023", "this number does not fit into 64 bits", span)
        return Literal_(value, span)

    def _named(self, token: Token) -> Syntax:
        if token.text in ("true", "false"):
            return Literal_(token.text == "true", token.span)
        if token.text == "null":
            hint = "a fact that is not known is tested with has(…)"
            raise SyntaxProblem("P019", "`null` is not part of the policy language", token.span, hint)
        if token.text in _RESERVED:
            raise SyntaxProblem("P020", f"`{token.text}` is a reserved word", token.span, _habit(token))
        if self._is("("):
            return self._call(token, None)
        return Name(token.text, token.span)

    def _call(self, name: Token, target: Syntax | None) -> Call:
        self._take()
        arguments = self._items(")")
        end = self._expect(")").span.end
        start = target.span.start if target is not None else name.span.start
        return Call(name.text, name.span, target, arguments, Span(start, end))

    def _list(self) -> ListOf:
        start = self._take().span.start
        items = self._items("]")
        return ListOf(items, Span(start, self._expect("]").span.end))

    def _items(self, close: str) -> tuple[Syntax, ...]:
        items: list[Syntax] = []
        while not self._is(close):
            items.append(self._expression())
            if not self._is(","):
                break
            self._take()
        return tuple(items)


def _habit(token: Token) -> str | None:
    """A mend for what other languages would accept."""
    if token.kind != "name":
        return None
    return {"and": "write `&&`", "or": "write `||`", "not": "write `!`", "if": "write `test ? a : b`"}.get(token.text)
