"""Outputs in the wrong place: disks that are full, limits of size, folders that may not be written or are not there."""
import os
import resource
import shutil
import subprocess
import tempfile

from .workshop import ENVIRONMENT, PATIENCE, caused

OLD = b"something precious"
# In a mount namespace of its own: nobody else sees these mounts, and they go with the process.
UNSHARE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "bash", "-c"]
# A small disk is filled, made larger, and the job gone on with. What came of it is left in the folder $1.
FILL = """
mount -t tmpfs -o size="$2" none disk && printf 'something precious' > disk/out.tif || exit 99
said=$1; shift 2
"$@" -o disk/out.tif --overwrite 2> "$said/first"; echo $? > "$said/first.code"
cp disk/out.tif "$said/old"; ls -A disk > "$said/names"
mount -o remount,size=1g disk || exit 99
"$@" -o disk/out.tif --overwrite --resume 2> "$said/second"; echo $? > "$said/second.code"
cp disk/out.tif "$said/new"; ls -A disk > "$said/names.after"
"""


def job(shop):
    """A job of 2 MB that does not compress, and the undisturbed run's bytes."""
    inputs = [shop.raster(f"in{number}.tif", 700, 2, "UInt16", (number * 600, number * 50), values=60_000)
              for number in range(3)]
    words = [*inputs, "--checkpoint", "0", "--progress", "none", "--block", "128", "--threads", "2"]
    shop.done(*words, "-o", "wanted.tif")
    return words, shop.path("wanted.tif").read_bytes()


def mounted(shop, script, *arguments):
    """Runs a script that mounts; None where the system allows none."""
    command = [*UNSHARE, script, "bash", *map(str, arguments)]
    ended = subprocess.run(command, cwd=shop.folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=2 * PATIENCE, check=False)
    return None if ended.returncode == 99 or b"unshare" in ended.stderr else ended


@caused(3, 20)
def full_disk(shop, times):
    """A disk that is full after a part of the output: the file is named, the old output intact, --resume goes on."""
    words, wanted = job(shop)
    shop.path("disk").mkdir()
    for number in range(times):
        for layout in ([], ["--format", "cog"]):
            said = shop.path("said")
            said.mkdir()
            size = int(len(wanted) * (0.05 + 1.2 * (number + shop.random.random()) / times))
            if mounted(shop, FILL, said, size, shop.program, *words, *layout) is None:
                shop.count("skipped: no mount is allowed")
            else:
                judge_full(shop, f"{size} bytes {' '.join(layout)}", said, layout, wanted)
            shutil.rmtree(said)


def judge_full(shop, what, said, layout, wanted):
    read = {name: (said / name).read_bytes() for name in os.listdir(said)}
    told, codes = read["first"].decode(), (int(read["first.code"]), int(read["second.code"]))
    if not layout and codes[1] == 0 and read["new"] != wanted:
        return shop.fault(f"{what}: other bytes after --resume")
    if codes[1] != 0 or read["names.after"].split() != [b"out.tif"]:
        return shop.fault(f"{what}: with room, code {codes[1]}: {read['second'][-300:]} {read['names.after']}")
    if codes[0] == 0:
        return shop.count("fits")
    if codes[0] != 1 or read["old"] != OLD or "out.tif" not in told or "space" not in told:
        return shop.fault(f"{what}: code {codes[0]}: {told[-300:]}")
    kept = b".partial" in read["names"]
    if kept and "--resume" not in told:
        return shop.fault(f"{what}: a part is kept and nobody is told: {told[-300:]}")
    return shop.count("full, then resumed" if kept else "full before the first entry, then made")


@caused(3, 20)
def size_limit(shop, times):
    """A limit of file sizes (ulimit -f): the same."""
    words, wanted = job(shop)
    for number in range(times):
        most = int(len(wanted) * (0.02 + (number + shop.random.random()) / times))
        shop.path("out.tif").write_bytes(OLD)
        limit = lambda most=most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # noqa: E731
        first = shop.run(*words, "-o", "out.tif", "--overwrite", preexec_fn=limit)
        intact, kept = shop.path("out.tif").read_bytes() == OLD, shop.hidden()
        second = shop.run(*words, "-o", "out.tif", "--overwrite", "--resume")
        if second.code != 0 or shop.path("out.tif").read_bytes() != wanted or shop.hidden():
            shop.fault(f"{most} bytes: then code {second.code}, left {shop.hidden()}: {second.told[-300:]}")
        elif first.code == 0:
            shop.count("fits")
        elif first.code != 1 or not intact or "out.tif" not in first.told:
            shop.fault(f"{most} bytes: code {first.code}, old output intact: {intact}: {first.told[-300:]}")
        else:
            shop.count("full, then resumed" if kept else "full before the first entry, then made")


@caused(1, 1)
def odd_folders(shop, _):
    """Read-only, missing and vanishing folders, an output that is a folder, an output on another file system."""
    words, wanted = job(shop)
    read_only = 'mkdir -p locked && mount --bind locked locked && mount -o remount,ro,bind locked || exit 99; "$@"'
    ended = mounted(shop, read_only, shop.program, *words, "-o", "locked/out.tif")
    if ended is None:
        shop.count("skipped: no mount is allowed")
    else:
        expect(shop, "read-only folder", ended.returncode, ended.stderr.decode(), "locked")
    for output, named in [("nowhere/out.tif", "nowhere"), ("in0.tif/out.tif", "in0.tif"), (".", "folder"),
                          ("nowhere", None)]:
        if named is None:
            shop.path(output).mkdir()
        ended = shop.run(*words, "-o", output)
        expect(shop, output, ended.code, ended.told, named or "is a folder")
    with tempfile.TemporaryDirectory(dir="/tmp") as other:
        ended = shop.run(*words, "-o", f"{other}/out.tif", "--format", "cog", environment={"TMPDIR": str(shop.folder)})
        same = os.stat(other).st_dev == os.stat(shop.folder).st_dev
        if ended.code != 0 or shop.names(other) != ["out.tif"]:
            shop.fault(f"output on another file system: code {ended.code}: {ended.told[-300:]}")
        else:
            shop.count("skipped: there is one file system" if same else "made on another file system")
    shop.path("gone").mkdir()
    child = shop.start(*words, "-o", "gone/out.tif", "--compress", "zstd", "--co", "ZSTD_LEVEL=19")
    while not shop.names(shop.path("gone")) and child.poll() is None:
        pass
    shutil.rmtree(shop.path("gone"), ignore_errors=True)
    shutil.rmtree(shop.path("gone"), ignore_errors=True)
    ended = shop.end(child)
    if ended.code == 0 and not shop.path("gone/out.tif").exists():
        shop.fault("the output's folder vanished, and the run told of success")
    else:
        expect(shop, "vanished folder", ended.code, ended.told, "gone")


def expect(shop, what, code, told, named):
    """The run must have failed with exit code 1 and named what is wrong."""
    if code == 1 and named in told:
        shop.count("refused by name")
    else:
        shop.fault(f"{what}: code {code}: {told[-300:]}")


CASES = [full_disk, size_limit, odd_folders]
