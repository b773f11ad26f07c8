"""Looks the locked dependencies up among known vulnerabilities with pip-audit: `python tools/audit.py [LOCK]`.

Exits with 1 if one is vulnerable, and with 0 if none is or if no database can be reached, which it then says: no access
is no finding, and no finding without access is no proof.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "locks" / "dev.txt"
SERVICES = ("pypi", "osv")
TIMEOUT_S = 300

Report = Sequence[Mapping[str, Any]]


def audit(lock: Path, service: str, program: Sequence[str]) -> Report | str:
    """One entry a dependency, or why there are none."""
    options = ["-r", str(lock), "--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json"]
    try:
        run = subprocess.run(  # noqa: S603  our own arguments
            [*program, *options, "-s", service], capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
        report: Report = json.loads(run.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return f"{service} took longer than {TIMEOUT_S} s"
    except (ValueError, KeyError):
        return f"{service}: {(run.stderr.strip().splitlines() or ['no output'])[-1]}"
    return report


def main(lock: Path, program: Sequence[str] = (sys.executable, "-m", "pip_audit")) -> int:
    """Prints what was found, and returns the exit status."""
    reasons = []
    for service in SERVICES:
        report = audit(lock, service, program)
        if isinstance(report, str):
            reasons.append(report)
            continue
        known = [entry for entry in report if "vulns" in entry]
        if not known:
            reasons.append(f"{service} has none of the {len(report)} packages, not even by name")
            continue
        found = [(entry, vulnerability) for entry in known for vulnerability in entry["vulns"]]
        for entry, vulnerability in found:
            fixed = ", ".join(vulnerability.get("fix_versions", [])) or "nothing yet"
            print(f"{entry['name']} {entry['version']}: {vulnerability['id']}, fixed in {fixed}")
        print(f"pip-audit: {len(found)} known vulnerabilities in {len(known)} of {len(report)} packages looked up")
        return 1 if found else 0
    print(f"pip-audit: SKIPPED, nothing was looked up ({'; '.join(reasons)})")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else LOCK))
