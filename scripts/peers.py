"""What mosaic-stream is measured against: the programs that are found or installed, and the commands they are given.

Every command runs in the job's folder, where scenes.txt lists the inputs: a record of it names no folder of a machine.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from measuring import PROGRAM, ROOT, TARGET

GTIFF = ["TILED=YES", "BLOCKXSIZE=512", "BLOCKYSIZE=512", "COMPRESS=LZW", "PREDICTOR=2", "NUM_THREADS=ALL_CPUS",
         "BIGTIFF=IF_SAFER"]
# Averages, as ours makes them: the driver's own choice, cubic, is slower.
COG = ["BLOCKSIZE=512", "COMPRESS=LZW", "PREDICTOR=YES", "OVERVIEW_PREDICTOR=YES", "OVERVIEW_RESAMPLING=AVERAGE",
       "NUM_THREADS=ALL_CPUS", "BIGTIFF=IF_SAFER"]
# Pixels of examples/make_scenes, in metres.
PIXEL = "10"
NEWER = "gdal raster mosaic"
NUMPY, DASK = "numpy", "xarray and dask"
# What programs in Python are installed into, beside the build.
VENV = TARGET / "bench-venv"


@dataclass
class Contender:
    """Whole commands, run one after the other, that make one file from the inputs."""

    name: str
    steps: list
    output: str
    environment: dict = field(default_factory=dict)
    # Too slow for pairs: one run, without a warm-up.
    once: bool = False
    ours: bool = False
    # Whether its pixels are to be ours, and by how much they may differ.
    comparable: bool = True
    tolerance: int = 0
    # The report that ours writes.
    report: str = ""

    def commands(self):
        """As a user would type them: programs and scripts by their names alone."""
        def typed(part):
            return part.name if isinstance(part, Path) else str(part)
        return [shlex.join([Path(step[0]).name, *map(typed, step[1:])]) for step in self.steps]


def said(command, environment=None):
    """What a command says, or None when it is not there or fails."""
    try:
        done = subprocess.run(command, env=os.environ | (environment or {}), capture_output=True, text=True,
                              check=False)
    except OSError:
        return None
    return (done.stdout + done.stderr).strip() if done.returncode == 0 else None


def options(flag, pairs):
    return [part for pair in pairs for part in (flag, pair)]


class Peers:
    """The peers that this machine has, their versions, and a note for each that it lacks."""

    def __init__(self):
        self.versions, self.notes = {"mosaic-stream": said([PROGRAM, "--version"])}, []
        self.cache = {"GDAL_CACHEMAX": "512"}
        self.newer, self.newer_environment = self.find_newer()
        self.rio_program = None

    def find_newer(self):
        """The `gdal` program of GDAL 3.11 or newer: of $GDAL_PEER_PREFIX, else of the PATH."""
        prefix = os.environ.get("GDAL_PEER_PREFIX")
        environment = dict(self.cache)
        if prefix:
            environment |= {"LD_LIBRARY_PATH": f"{prefix}/lib", "GDAL_DATA": f"{prefix}/share/gdal"}
        program = f"{prefix}/bin/gdal" if prefix else shutil.which("gdal")
        if not program or said([program, "raster", "mosaic", "--help"], environment) is None:
            where = "in GDAL_PEER_PREFIX" if prefix else "on the PATH; GDAL_PEER_PREFIX names another GDAL's folder"
            self.notes.append(f"{NEWER}: not measured, there is none {where}")
            return None, environment
        self.versions[NEWER] = said([program, "--version"], environment)
        return program, environment

    def system(self, program):
        """Whether a program of the system's GDAL is there."""
        if shutil.which(program):
            self.versions.setdefault("GDAL of the system", said(["gdalinfo", "--version"]))
            return True
        self.note(f"{program}: not measured, it is not on the PATH")
        return False

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def raster_mosaic(self, cog=False, sync=False):
        if not self.newer:
            return []
        creation = ["-f", "COG", *options("--co", COG)] if cog else options("--co", GTIFF)
        name, output = (f"{NEWER} -f COG" if cog else NEWER), "newer.tif"
        steps = [[self.newer, "raster", "mosaic", "-q", *creation, "@scenes.txt", output]]
        if sync:
            # Ours ends when its file is durable; so must this.
            steps.append(["sync", output])
        return [Contender(name, steps, output, self.newer_environment)]

    def raster_median(self, inputs, tolerance):
        """By its pixel function, which leaves nodata out but knows no mask: `inputs` lists rasters masked already."""
        if not self.newer:
            return []
        step = [self.newer, "raster", "mosaic", "-q", "--pixel-function", "median", *options("--co", GTIFF),
                f"@{inputs}", "newer.tif"]
        return [Contender(f"{NEWER}, median", [step], "newer.tif", self.newer_environment, tolerance=tolerance)]

    def translate(self):
        if not (self.system("gdalbuildvrt") and self.system("gdal_translate")):
            return []
        steps = [["gdalbuildvrt", "-q", "-overwrite", "-input_file_list", "scenes.txt", "scenes.vrt"],
                 ["gdal_translate", "-q", *options("-co", GTIFF), "scenes.vrt", "translate.tif"]]
        return [Contender("gdalbuildvrt and gdal_translate", steps, "translate.tif", self.cache)]

    def warp(self):
        if not self.system("gdalwarp"):
            return []
        step = ["gdalwarp", "-q", "-multi", "-wo", "NUM_THREADS=ALL_CPUS", "-tr", PIXEL, PIXEL, *options("-co", GTIFF),
                "--optfile", "scenes.txt", "warp.tif"]
        return [Contender("gdalwarp -multi", [step], "warp.tif", self.cache)]

    def merge_script(self):
        if not self.system("gdal_merge.py"):
            return []
        step = ["gdal_merge.py", "-q", "-n", "0", "-a_nodata", "0", *options("-co", GTIFF), "-o", "merge.tif",
                "--optfile", "scenes.txt"]
        return [Contender("gdal_merge.py", [step], "merge.tif", self.cache, once=True)]

    def rio_merge(self, inputs, once=False):
        program = self.rio()
        if not program:
            return []
        # Sources keep their order here, and the last lies on top there.
        step = [program, "merge", "--method", "last", *options("--co", GTIFF), *inputs, "rio.tif"]
        return [Contender("rio merge", [step], "rio.tif", self.cache, once)]

    def rio(self):
        """rasterio's command with rio-cogeo: of the PATH, else installed once, beside the build."""
        if self.rio_program is None:
            def usable_one():
                programs = (VENV / "bin/rio", shutil.which("rio"))
                return next((one for one in programs if one and said([one, "merge", "--help"]) is not None), None)
            usable = usable_one() or (install("rasterio", "rio-cogeo") and usable_one())
            self.rio_program = usable or ""
            if usable:
                self.versions["rio"] = f"{said([usable, '--version'])}, GDAL {said([usable, '--gdal-version'])}"
            else:
                self.note("rio merge: not measured, rasterio could not be installed")
        return self.rio_program

    def dask_median(self, folder, hidden):
        """xarray and dask (scripts/dask-median), installed once beside the build."""
        python = VENV / "bin/python"
        versions = [python, "-c", "import dask, rasterio, rioxarray, xarray; print(f'{dask.__version__}, xarray "
                    "{xarray.__version__}, rioxarray {rioxarray.__version__}, GDAL {rasterio.__gdal_version__}')"]
        if said(versions) is None and not (install("rioxarray", "dask[array]") and said(versions)):
            self.note(f"{DASK}: not measured, rioxarray and dask could not be installed")
            return []
        self.versions["dask"] = said(versions)
        step = [python, ROOT / "scripts/dask-median", folder, "dask.tif", "--hidden", hidden]
        return [Contender(f"{DASK}, median", [step], "dask.tif", self.cache)]

    def numpy_composites(self, rule, folder, hidden, tolerance):
        """numpy (scripts/numpy-composite), which has no threads of its own; and by as many as there are CPUs."""
        # The script's Python is this one, GDAL's.
        version = said([sys.executable, "-c",
                        "import numpy, osgeo; print(f'{numpy.__version__}, GDAL {osgeo.__version__}')"])
        if version is None:
            self.note("numpy: not measured, the system's Python has no numpy or no osgeo")
            return []
        self.versions["numpy"] = version
        step = [ROOT / "scripts/numpy-composite", rule, folder, "numpy.tif", "--hidden", hidden]
        one = Contender(f"{NUMPY}, {rule}", [[*step, "--threads", 1]], "numpy.tif", self.cache, tolerance=tolerance)
        return [one, replace(one, name=f"{one.name}, a thread a CPU", steps=[step])]


def install(*packages):
    """Installs into the virtual environment beside the build, made when it is missing; says whether that went well."""
    print(f"installing {' and '.join(packages)} into {VENV}", file=sys.stderr, flush=True)
    # Not bin/pip, which names the folder where the environment was made: it may have been copied.
    pip = [VENV / "bin/python", "-m", "pip"]
    # Debian's own python3 may lack venv; another python3 on the PATH may have it.
    made = said([*pip, "--version"]) is not None or any(
        said([python, "-m", "venv", "--clear", VENV]) is not None for python in (sys.executable, "python3"))
    return made and said([*pip, "install", "-q", *packages]) is not None


def validators(peers, name):
    """Each check of a COG that the machine has: its name, and the command that fails on a bad one."""
    checks = {}
    if peers.rio() and said([peers.rio(), "cogeo", "--help"]) is not None:
        checks["rio cogeo validate --strict"] = [peers.rio(), "cogeo", "validate", "--strict", name]
    module = "osgeo_utils.samples.validate_cloud_optimized_geotiff"
    if said(["/usr/bin/python3", "-c", f"import {module}"]) is not None:
        checks["GDAL's validate_cloud_optimized_geotiff"] = ["/usr/bin/python3", "-m", module, name]
    return checks


def outcome(name, command, folder):
    """A check's verdict in a line. rio cogeo tells by its words, GDAL's check by its exit code."""
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    words = " ".join((done.stdout + done.stderr).replace(f"{folder}/", "").split())
    valid = done.returncode == 0 and not re.search("is not a valid", words, re.IGNORECASE)
    return valid, f"{name}: {'valid' if valid else words or 'failed without a word'}"
