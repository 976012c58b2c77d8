"""What the measuring scripts share: a command's time and peak memory, the machine's name, the generated rasters."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / (os.environ.get("CARGO_TARGET_DIR") or "target")
# $MOSAIC_STREAM_PROGRAM names a program that is measured instead of a fresh release build.
CHOSEN = os.environ.get("MOSAIC_STREAM_PROGRAM")
PROGRAM = Path(CHOSEN).resolve() if CHOSEN else TARGET / "release/mosaic-stream"
MAKE_SCENES = PROGRAM.parent / "examples/make_scenes"
MIB = 1024 * 1024
# The user's own settings would measure something else.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("MOSAIC_STREAM_")}


@dataclass
class Run:
    """One run of a command: exit code, wall and CPU seconds, peak resident memory in MiB, the end of its stderr."""

    code: int
    seconds: float
    cpu_seconds: float
    peak_mib: float
    message: str
    # Where ours wrote a report: its whole time in windows, divided by that of reading and encoding.
    over_codec: float | None = None


def measure(command, environment=None, folder=None):
    """Runs a command to its end. The kernel keeps the peak of each child, so one child says nothing of another."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=errors,
                                 env=ENVIRONMENT | (environment or {}), cwd=folder)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        # Popen has not seen the end of its child; told, it does not wait for a process that is gone.
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    # A record is no place for the folders of the machine that made it.
    lines = re.sub(r"(?<![\w.])/(?:[^\s/:]+/)+", "", text).strip().splitlines()
    # Linux counts in KiB, macOS in bytes.
    peak = usage.ru_maxrss / (MIB if sys.platform == "darwin" else 1024)
    return Run(child.returncode, seconds, usage.ru_utime + usage.ru_stime, peak, "\n".join(lines[-5:]))


def build():
    """The release programs, built from what stands in the folder now, unless a program was chosen."""
    if CHOSEN:
        missing = [str(path) for path in (PROGRAM, MAKE_SCENES) if not path.is_file()]
        if missing:
            sys.exit(f"measuring: MOSAIC_STREAM_PROGRAM is set, but there is no {' and no '.join(missing)}")
        return
    subprocess.run(["cargo", "build", "--release", "--bin", "mosaic-stream", "--example", "make_scenes"], cwd=ROOT,
                   check=True)


def work_folder(needed_gib, parent=None):
    """A new folder for rasters: in `parent`, else $MOSAIC_STREAM_WORK, else memory where there is room, else /tmp."""
    parent = parent or os.environ.get("MOSAIC_STREAM_WORK")
    if parent is None:
        shared = Path("/dev/shm")
        roomy = shared.is_dir() and min(shutil.disk_usage(shared).free, available_memory()) > 2 * needed_gib * 1024**3
        parent = shared if roomy else tempfile.gettempdir()
    Path(parent).mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(parent).free < needed_gib * 1024**3:
        sys.exit(f"measuring: {parent} has less than {needed_gib} GiB free; name another folder in MOSAIC_STREAM_WORK")
    return tempfile.TemporaryDirectory(prefix="mosaic-stream-", dir=parent)


def available_memory():
    found = re.search(r"MemAvailable:\s+(\d+) kB", read("/proc/meminfo"))
    return int(found.group(1)) * 1024 if found else 0


def read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return ""


def make_scenes(folder, *flags, inside=None):
    """Generated rasters (examples/make_scenes), by a command that runs in `inside`; returns the folder."""
    print(f"making {folder.name}", file=sys.stderr, flush=True)
    subprocess.run([MAKE_SCENES, "--folder", folder, *flags], check=True, stdout=subprocess.DEVNULL, cwd=inside)
    return folder


def machine():
    """The machine in one line: CPU, cores, memory, GDAL, and the commit that was measured."""
    cpu = re.search(r"model name\s*:\s*(.*)", read("/proc/cpuinfo"))
    total = re.search(r"MemTotal:\s+(\d+) kB", read("/proc/meminfo"))
    gdal = subprocess.run(["gdalinfo", "--version"], capture_output=True, text=True, check=False).stdout
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=PROGRAM.parent if CHOSEN else ROOT,
                            capture_output=True, text=True, check=False).stdout.strip()
    return {
        "cpu": cpu.group(1).strip() if cpu else "unknown CPU",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(int(total.group(1)) / 1024**2, 1) if total else None,
        "gdal": gdal.split(",")[0].removeprefix("GDAL ").strip() or "unknown",
        "commit": commit or "unknown",
    }


def machine_line(machine):
    return "{cpu}, {cores} cores, {memory_gib} GiB, GDAL {gdal}, commit {commit}".format(**machine)


def runs_folder():
    folder = ROOT / "benches" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
