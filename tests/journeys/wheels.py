"""A distribution made by hand, so that installing one needs neither a network nor a build tool."""

import subprocess
import sys
import zipfile
from pathlib import Path


def wheel(folder: Path, name: str, source: Path, entry_point: str) -> Path:
    """A wheel with one module, and an entry point by which the hub finds the plugin in it."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": source.read_text(),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[ocpi_hub.plugins]\n{name} = {entry_point}\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    made = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return made


def install(distribution: Path, target: Path) -> None:
    """`pip install --target`, without a network."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
    subprocess.run(
        [*command, "--disable-pip-version-check", "--target", str(target), str(distribution)], check=True, timeout=60
    )
