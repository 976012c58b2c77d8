"""A folder with rasters, the program that runs in it, and what came of its runs."""
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# No run of these small rasters takes so many seconds by right.
PATIENCE = 60
ENVIRONMENT = {key: value for key, value in os.environ.items()
               if not key.startswith(("MOSAIC_STREAM_", "GDAL_", "CPL_", "VRT_"))}
# Python's array type of a GDAL type, and ENVI's number of it.
TYPES = {"Byte": ("B", 1), "UInt16": ("H", 12), "Float32": ("f", 4)}


@dataclass
class Outcome:
    """How a run of the program ended: exit code (negative for a signal), what it told on stderr, its seconds."""

    code: int
    told: str
    seconds: float


def caused(short, full):
    """Marks a case, with how often its fault is caused in the short and in the full form."""
    def mark(case):
        case.times = (short, full)
        return case
    return mark


class Workshop:
    """One case's folder and counts. `random` depends on the seed and the case alone."""

    def __init__(self, program, folder, name, seed):
        self.program, self.name, self.random = program, name, random.Random(f"{seed} {name}")
        self.seed = seed
        self.folder = Path(folder) / name
        self.folder.mkdir()
        self.outcomes, self.faults, self.lock = Counter(), [], threading.Lock()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def count(self, outcome):
        with self.lock:
            self.outcomes[outcome] += 1

    def fault(self, what):
        """What must not happen: told at once, with how to see it again."""
        print(f"FAULT {self.name} (seed {self.seed}): {what}", file=sys.stderr, flush=True)
        with self.lock:
            self.faults.append(what)
            self.outcomes["at fault"] += 1

    def path(self, name):
        return self.folder / name

    def names(self, folder=None):
        return sorted(os.listdir(folder or self.folder))

    def hidden(self, folder=None):
        """What runs left that ended early, or should not have left."""
        return [name for name in self.names(folder) if name.startswith(".")]

    def start(self, *words, environment=None, **options):
        """The program with these arguments, in the case's folder."""
        return subprocess.Popen([str(self.program), *map(str, words)], cwd=self.folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                env=ENVIRONMENT | (environment or {}), **options)

    def run(self, *words, **options):
        """Runs the program to its end."""
        return self.end(self.start(*words, **options), words)

    def end(self, child, words=()):
        """Waits for the end of a run. One that hangs, panics or crashes is a fault, whatever was done to it."""
        began = time.monotonic()
        try:
            _, told = child.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            _, told = child.communicate()
            self.fault(f"no end after {PATIENCE} s: {' '.join(map(str, words))[:300]}")
        told = told.decode(errors="replace")
        crashed = -child.returncode in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
        if crashed or "panicked" in told:
            self.fault(f"code {child.returncode}: {' '.join(map(str, words))[:300]}: {told[-600:]}")
        return Outcome(child.returncode, told, time.monotonic() - began)

    def done(self, *words, **options):
        """Runs the program, which must succeed: what is to be disturbed works by itself."""
        outcome = self.run(*words, **options)
        if outcome.code != 0:
            raise SystemExit(f"torture: {self.name} does not even work undisturbed: {outcome.told}")
        return outcome

    def tool(self, *words):
        """Runs one of GDAL's tools; whether it succeeded."""
        return subprocess.run([str(word) for word in words], cwd=self.folder, env=ENVIRONMENT, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              timeout=PATIENCE).returncode == 0

    def raster(self, name, side=400, bands=1, kind="Byte", at=(0, 0), options="COMPRESS=DEFLATE TILED=YES", pixel=1,
               values=200):
        """Writes a GeoTIFF of noise: integers from 1 to `values`."""
        code, number = TYPES[kind]
        noise = self.random.choices(range(1, values + 1), k=side * 37)
        # A few thousand random numbers, repeated at odd distances: noise enough, and quickly made.
        pixels = array(code, (noise * (bands * side // 37 + 1))[:side * side * bands])
        raw = self.path(f"{Path(name).stem}.raw")
        raw.write_bytes(pixels.tobytes())
        raw.with_suffix(".hdr").write_text(
            f"ENVI\nsamples = {side}\nlines = {side}\nbands = {bands}\ndata type = {number}\ninterleave = bsq\n"
            f"byte order = 0\nmap info = {{UTM, 1, 1, {600000 + at[0]}, {5700000 + at[1]}, {pixel}, {pixel}, 31, "
            "North, WGS-84}\n")
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        flags = [word for option in options.split() for word in ("-co", option)]
        made = self.tool("gdal_translate", "-q", "-of", "GTiff", *flags, raw, name)
        for extra in (raw, raw.with_suffix(".hdr"), Path(f"{raw}.aux.xml"), self.path(f"{name}.aux.xml")):
            extra.unlink(missing_ok=True)
        if not made:
            raise SystemExit(f"torture: gdal_translate cannot make {name} with {options}")
        return name

    def pixels(self, name, to):
        """A raster's pixels as GDAL reads them, as bytes; None where it cannot."""
        raw = self.path(to)
        good = self.tool("gdal_translate", "-q", "-of", "ENVI", "-co", "INTERLEAVE=BSQ", name, raw)
        pixels = raw.read_bytes() if good and raw.exists() else None
        for extra in (raw, raw.with_suffix(".hdr"), Path(f"{raw}.aux.xml")):
            extra.unlink(missing_ok=True)
        return pixels
