"""Sources that change while the job runs, and times that jump."""
import os
import shutil
import time

from .workshop import caused


@caused(6, 60)
def sources_that_change(shop, times):
    """A source is deleted, cut, overwritten or replaced meanwhile: an error, or one source's pixels."""
    options = "COMPRESS=DEFLATE PREDICTOR=2 TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128"
    for kind in ("plain", "none"):
        made = options if kind == "plain" else "COMPRESS=NONE TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128"
        for name in ("first.tif", "second.tif", "other.tif"):
            shop.raster(name, 1300, 2, "UInt16", (600 if name == "other.tif" else 0, 0), made, values=3000)
        words = ["in.tif", "other.tif", "--progress", "none", "--compress", "zstd", "--checkpoint", "0"]
        words += ["--block", "128"]
        wanted, seconds = {}, 0
        for name in ("first.tif", "second.tif"):
            shutil.copy(shop.path(name), shop.path("in.tif"))
            seconds = max(shop.done(*words, "-o", "wanted.tif", "--overwrite").seconds, 0.05)
            wanted[name] = shop.path("wanted.tif").read_bytes()
        for _ in range(times):
            shutil.copy(shop.path("first.tif"), shop.path("in.tif"))
            change = shop.random.choice([delete, cut, overwrite, replace, overwrite_a_part])
            child = shop.start(*words, "-o", "out.tif")
            time.sleep(shop.random.uniform(0, seconds))
            change(shop)
            judge(shop, words, change.__name__.replace("_", " "), shop.end(child), wanted)


def delete(shop):
    shop.path("in.tif").unlink()


def cut(shop):
    os.truncate(shop.path("in.tif"), shop.random.randrange(shop.path("in.tif").stat().st_size))


def overwrite(shop):
    """In place: the same file, other bytes."""
    shop.path("in.tif").write_bytes(shop.path("second.tif").read_bytes())


def replace(shop):
    """By a whole file in one step."""
    shutil.copy(shop.path("second.tif"), shop.path("new.tif"))
    os.rename(shop.path("new.tif"), shop.path("in.tif"))


def overwrite_a_part(shop):
    """In place, some bytes in the middle, as a disturbed copy does."""
    with open(shop.path("in.tif"), "r+b") as file:
        file.seek(shop.random.randrange(1000, shop.path("in.tif").stat().st_size - 5000))
        file.write(shop.random.randbytes(5000))


def anew(shop, words):
    """The mosaic of the source as it is now: the change may have come before the program looked."""
    outcome = shop.run(*words, "-o", "anew.tif", "--overwrite")
    return shop.path("anew.tif").read_bytes() if outcome.code == 0 else None


def judge(shop, words, what, outcome, wanted):
    output = shop.path("out.tif")
    if outcome.code == 0:
        pixels = output.read_bytes()
        whole = pixels in wanted.values() or pixels == anew(shop, words)
        shop.count("the source's pixels") if whole else shop.fault(f"{what}: a mixture is told as success")
    elif outcome.code not in (1, 3) or output.exists():
        shop.fault(f"{what}: code {outcome.code}, an output is there: {output.exists()}: {outcome.told[-300:]}")
    elif "in.tif" not in outcome.told:
        shop.fault(f"{what}: the source is not named: {outcome.told[-300:]}")
    else:
        shop.count("told as an error")
    output.unlink(missing_ok=True)
    for left in shop.hidden():
        shop.path(left).unlink()


@caused(4, 20)
def clocks_that_jump(shop, times):
    """Times of sources and parts in the past or the future: what differs decides about --resume, not what is later."""
    options = "COMPRESS=DEFLATE TILED=YES BLOCKXSIZE=128 BLOCKYSIZE=128"
    words = [shop.raster("in.tif", 1300, 2, "UInt16", options=options, values=3000), "--progress", "none", "--block",
             "128", "--checkpoint", "0", "--threads", "1"]
    seconds = shop.done(*words, "-o", "wanted.tif").seconds
    now = time.time()
    for _ in range(times):
        before = now + shop.random.choice([-1, 1]) * shop.random.uniform(10, 3e8)
        os.utime(shop.path("in.tif"), (before, before))
        leave_part(shop, words, seconds)
        for name in shop.hidden():
            jumped = now + shop.random.choice([-1, 1]) * shop.random.uniform(10, 3e8)
            os.utime(shop.path(name), (jumped, jumped))
        changed = shop.random.random() < 0.5
        if changed:
            after = before + shop.random.choice([-1, 1]) * shop.random.uniform(1e-6, 1e8)
            os.utime(shop.path("in.tif"), (after, after))
        has_part = any(shop.path(name).stat().st_size > 0 for name in shop.hidden() if name.endswith(".index"))
        outcome = shop.run(*words, "-o", "out.tif", "--resume")
        right = outcome.code == 0 and shop.path("out.tif").read_bytes() == shop.path("wanted.tif").read_bytes()
        refused = outcome.code == 1 and "in.tif" in outcome.told and "mosaic-stream clean" in outcome.told
        if changed and has_part:
            shop.count("another time is told") if refused else shop.fault(f"not refused: {outcome.told[-300:]}")
        else:
            shop.count("the same time goes on") if right else shop.fault(f"not resumed: {outcome.told[-300:]}")
        for name in [*shop.hidden(), "out.tif"]:
            shop.path(name).unlink(missing_ok=True)


def leave_part(shop, words, seconds):
    """Kills a run once it has something to go on with."""
    child = shop.start(*words, "-o", "out.tif")
    deadline = time.monotonic() + 10 * seconds + 5
    while child.poll() is None and time.monotonic() < deadline:
        indices = [shop.path(name) for name in shop.hidden() if name.endswith(".index")]
        if any(path.stat().st_size > 500 for path in indices if path.exists()):
            break
        time.sleep(0.001)
    child.kill()
    shop.end(child)
    shop.path("out.tif").unlink(missing_ok=True)


CASES = [sources_that_change, clocks_that_jump]
