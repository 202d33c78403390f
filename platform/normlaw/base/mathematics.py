"""Formulas that are written in plain text, typeset: `norm^-gamma_1` with an exponent and an index, in HTML.

No library reads this notation, which is that of messages on a terminal; what others read is TeX.
"""

from __future__ import annotations

import re
from html import escape

from normlaw.base.html import Html

GREEK = {"alpha": "α", "gamma": "γ", "lambda": "λ", "epsilon": "ε", "eps": "ε", "sigma": "σ", "Delta": "Δ"}
SIGNS = {"+-": "±", "*": "·", "~": "∼", "-": "−", ">=": "≥", "<=": "≤"}
INDEXED = rf"(?:{'|'.join(GREEK)})(?:_[A-Za-z0-9]+)?(?![\w])"
FORMULA = re.compile(
    rf"""
    (?P<code>`[^`]+`)
    | (?P<power>(?<=[\w)\]])\^(?P<exponent>-?(?:{INDEXED}|\w+(?:\.\d+)?|\((?:[^()]|\([^()]*\))*\))))
    | (?P<symbol>(?<![\w.])(?<!--)(?P<greek>{"|".join(GREEK)})(?:_(?P<index>[A-Za-z0-9]+))?(?![\w=]))
    | (?P<sign>\+- | (?<=\S)\ (?:[*~-]|[<>]=)\ (?=\S) | (?<!\w)-(?=\d|\.\d))
    """,
    re.VERBOSE,
)


def typeset(text: str) -> Html:
    """Return text as HTML, its formulas as they are written by hand; all else is escaped, and code stays code.

    >>> typeset("error ~ norm^-gamma_1, 0.1 +- 0.2 <b>")
    'error ∼ norm<sup>−<i>γ</i><sub>1</sub></sup>, 0.1 ± 0.2 &lt;b&gt;'
    >>> typeset("e^((1 + eps) z)")
    'e<sup>(1 + <i>ε</i>) z</sup>'
    >>> typeset("lambda/lambda_opt, P^(2/3), the table `gamma_1`, gamma_1_bend")
    '<i>λ</i>/<i>λ</i><sub>opt</sub>, P<sup>2/3</sup>, the table <code>gamma_1</code>, gamma_1_bend'

    """
    pieces, end = [], 0
    for found in FORMULA.finditer(text):
        pieces += [escape(text[end : found.start()]), _drawn(found)]
        end = found.end()
    return Html("".join([*pieces, escape(text[end:])]))


def _drawn(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "code":
            return f"<code>{escape(found['code'][1:-1])}</code>"
        case "sign":
            return SIGNS[found["sign"].strip()].join([" ", " "] if found["sign"][0] == " " else ["", ""])
    if found["power"]:
        exponent = found["exponent"]
        sign = "−" if exponent.startswith("-") else ""
        exponent = exponent.removeprefix("-")
        inner = exponent[1:-1] if exponent.startswith("(") else exponent
        return f"<sup>{sign}{typeset(inner)}</sup>"
    index = f"<sub>{escape(found['index'])}</sub>" if found["index"] else ""
    return f"<i>{GREEK[found['greek']]}</i>{index}"
