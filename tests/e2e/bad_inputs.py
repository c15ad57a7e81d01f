"""Inputs that must be refused, whatever they come by: the arguments of calls, and noise instead of messages."""

O = b'"order_id":"ord_a1","reason":"x"'  # noqa: E741
ADDRESS = b'"city":"Boulder","region":"CO","postal_code":"80301","country":"US"'


def refund(more: str) -> bytes:
    return b"{" + O + b"," + more.encode() + b"}"


def address(city: str, country: str) -> bytes:
    rest = '"region":"CO","postal_code":"80301"'
    return f'{{"address":{{"line1":"a","city":"{city}",{rest},"country":"{country}"}}}}'.encode()


def cart(quantity: str) -> bytes:
    return b'{"lines":[{"variant_id":"v_mug","quantity":' + quantity.encode() + b"}]}"


def lines(quantity: str) -> bytes:
    return refund('"lines":[{"line_id":"ord_a1-1","quantity":' + quantity + "}]")


def order(key: str) -> bytes:
    return b'{"order_id":"' + key.encode() + b'","reason":"x"}'


MANY = ",".join(f'{{"variant_id":"v{number}","quantity":1}}' for number in range(1500))
BAD: list[tuple[str, bytes, bytes]] = [
    # number in the list of bad inputs, tool, raw arguments
    ("1 duplicate key", b"issue_refund", refund('"amount":"1.00","amount":"9999"')),
    ("1 duplicate key inside", b"issue_refund", refund('"lines":[{"line_id":"ord_a1-1","quantity":1,"quantity":2}]')),
    ("1 duplicate key by escape", b"issue_refund", refund('"amount":"1.00","\\u0061mount":"9999"')),
    ("2 extra argument", b"issue_refund", refund('"is_admin":true')),
    ("2 extra argument inside", b"issue_refund", refund('"lines":[{"line_id":"ord_a1-1","quantity":1,"price":"9"}]')),
    *[
        (f"3 quantity {text}", b"issue_refund", lines(text))
        for text in ('"5"', "true", "5.0", "5e0", "null", "[1]", "1.5")
    ],
    *[
        (f"4 amount {text}", b"issue_refund", refund(f'"amount":{text}'))
        for text in ('"NaN"', '"inf"', '"1e400"', "NaN", "Infinity", "-Infinity", "1e400", "5", "5.00")
    ],
    *[
        (f"5 amount {text}", b"issue_refund", refund(f'"amount":"{text}"'))
        for text in ("1E+30", "1_000", " 5 ", "-0", "+5", "5.", ".5", "0x5", "05", "1,00", "$5", "5 USD", "")
    ],
    ("6 Arabic digits", b"issue_refund", refund('"amount":"\u0661\u0662\u0663"')),
    ("6 full-width digits", b"issue_refund", refund('"amount":"\uff15"')),
    *[(f"7 amount {text}", b"issue_refund", refund(f'"amount":"{text}"')) for text in ("-5", "0", "0.00")],
    *[
        (f"8 amount {text[:9]}", b"issue_refund", refund(f'"amount":"{text}"'))
        for text in ("1" + "0" * 40, str(2**63), str(2**53 + 1))
    ],
    *[
        (f"8 quantity {text[:9]}", b"issue_refund", lines(text))
        for text in ("1" + "0" * 40, str(2**63), str(2**53 + 1))
    ],
    ("9 5,000-digit integer", b"issue_refund", lines("9" * 5000)),
    ("10 three decimals", b"issue_refund", refund('"amount":"5.001"')),
    ("11 a currency", b"issue_refund", refund('"amount":"5.00","currency":"USDT"')),
    ("12 another currency", b"issue_refund", refund('"amount":"5.00","currency":"EUR"')),
    ("15 a percentage", b"apply_discount", b'{"cart_id":"cart_ana","offer_code":"TAKE5","percent":100}'),
    *[(f"16 quantity {text}", b"edit_cart", cart(text)) for text in ("-1", "1000000000", "1000")],
    ("16 no quantity to refund", b"issue_refund", lines("0")),
    ("16 a long cart", b"edit_cart", b'{"lines":[%s]}' % MANY.encode()),
    ("17 Cyrillic id", b"issue_refund", order("\u043erd_a1")),
    ("18 zero width", b"issue_refund", order("ord_\u200ba1")),
    ("18 right to left", b"issue_refund", order("ord_a1\u202e")),
    ("18 in an address", b"update_address", b'{"address":{"line1":"1 \\u202eStreet",' + ADDRESS + b"}}"),
    ("18 in a city", b"update_address", address("Bo\\u200bulder", "US")),
    ("19 look-alike", b"issue_refund", order("ord\uff3fa1")),
    ("20 NUL in an id", b"issue_refund", order("ord_a1\\u0000")),
    ("20 NUL in a text", b"issue_refund", b'{"order_id":"ord_a1","reason":"a\\u0000b"}'),
    ("21 lone surrogate", b"issue_refund", b'{"order_id":"ord_a1","reason":"\\ud800"}'),
    ("21 lone surrogate as a key", b"issue_refund", refund('"\\udfff":1')),
    ("21 bytes that are not UTF-8", b"issue_refund", b'{"order_id":"ord_a1","reason":"\xff"}'),
    ("21 encoded surrogate", b"issue_refund", b'{"order_id":"ord_a1","reason":"\xed\xa0\x80"}'),
    ("22 newline after an amount", b"issue_refund", refund('"amount":"1\\n"')),
    ("22 newline after an id", b"issue_refund", order("ord_a1\\n")),
    ("22 newline after a code", b"verify_identity", b'{"challenge_id":"chl_1","code":"123456\\n"}'),
    ("23 one megabyte", b"issue_refund", b'{"order_id":"ord_a1","reason":"%s"}' % (b"x" * 1_000_000)),
    ("23 a long field", b"issue_refund", b'{"order_id":"ord_a1","reason":"%s"}' % (b"x" * 3000)),
    ("24 nesting", b"issue_refund", refund('"lines":' + "[" * 100_000 + "]" * 100_000)),
    ("24 nesting of 40", b"issue_refund", refund('"lines":' + "[" * 40 + "]" * 40)),
    ("24 nesting of objects", b"issue_refund", refund('"lines":' + '{"a":' * 5000 + "1" + "}" * 5000)),
    ("25 a list as text", b"issue_refund", refund('"lines":"[{}]"')),
    ("27 customer", b"issue_refund", refund('"customer_id":"cus_ben"')),
    ("27 customer of the profile", b"get_customer", b'{"customer_id":"cus_ben"}'),
    ("not closed", b"issue_refund", refund('"amount":')),
    ("a code as a number", b"verify_identity", b'{"challenge_id":"chl_1","code":123456}'),
    ("a key with a newline", b"issue_refund", refund('"idempotency_key":"a\\n"')),
    ("an id of 65", b"issue_refund", order("o" * 65)),
    ("a lower-case country", b"update_address", address("b", "us")),
    ("a country nobody has", b"update_address", address("b", "XX")),
]


GARBAGE: list[bytes] = [
    b"garbage",
    b"\x00\x01",
    b"\xff\xfe",
    b"{}",
    b"[]",
    b"null",
    b"123",
    b'"a"',
    b"{",
    b'{"jsonrpc":"2.0"}',
    b'[{"jsonrpc":"2.0","id":"batch","method":"tools/call","params":{"name":"cancel_order",'
    b'"arguments":{"order_id":"ord_a2","reason":"other"}}}]',
    b'{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"cancel_order",'
    b'"arguments":{"order_id":"ord_a2","reason":"other"}}}',
    b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"cancel_order",'
    b'"arguments":{"order_id":"ord_a2","reason":"other"}}}',
    b'{"jsonrpc":"1.0","id":"old","method":"tools/call","params":{"name":"cancel_order",'
    b'"arguments":{"order_id":"ord_a2","reason":"other"}}}',
    b'{"jsonrpc":"2.0","id":"n1","method":"tools/nope"}',
    b'{"jsonrpc":"2.0","id":"n2","method":"\\ud800"}',
    b'{"jsonrpc":"2.0","id":"n3","method":"tools/call"}',
    b'{"jsonrpc":"2.0","id":"n4","method":"tools/call","params":[]}',
    b'{"jsonrpc":"2.0","id":"n5","method":"tools/call","params":{"name":7,"arguments":{}}}',
    b'{"jsonrpc":"2.0","id":"n6","method":"tools/list","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"jsonrpc":"2.0","id":"n7","result":{"content":[]}}',
    b'{"jsonrpc":"2.0","id":"n8","error":{"code":1,"message":"x"}}',
    b'{"jsonrpc":"2.0","id":"n9","id":"n10","method":"tools/list"}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"jsonrpc":"2.0","id":"n11","method":"tools/call","params":{"name":"get_order","name":"cancel_order",'
    b'"arguments":{"order_id":"ord_a2","reason":"other"}}}',
]
