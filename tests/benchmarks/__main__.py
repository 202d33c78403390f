"""Run the benchmarks: all of them, or those named, each in a process of its own.

.venv/bin/python tests/benchmarks [NAME ...]

They print ratios measured in one process and assert nothing; `--list` names them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(names: list[str]) -> int:
    """Return 0 when every benchmark ran, 2 for an unknown name, else 1."""
    known = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if not path.stem.startswith("_")}
    if names == ["--list"]:
        print("\n".join(known))
        return 0
    if unknown := [name for name in names if name not in known]:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or known:
        print(f"== {name}", flush=True)
        failed += subprocess.run([sys.executable, str(known[name])], check=False).returncode != 0
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
