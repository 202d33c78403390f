"""The model's parameters: where each stands in theta (K,)."""

from __future__ import annotations

LEVEL, GAMMA_0, LOG_GAMMA_1, LOG_Q, X_1, LOG_A, LOG_RATIO, U_0, GAMMA_2, CEILING, LOG_SHARPNESS, DEPTH = range(
    12
)
"""Places of the named parameters; LOG_RATIO is ln(m/a). Behind them: corrections of G, of H, b_P, s_P."""
NAMED = 12
OF_LAWS = CEILING
"""So many parameters, the first, say what envelope and departure are; the next are the link's."""
