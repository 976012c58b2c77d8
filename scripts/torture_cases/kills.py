"""Runs that are killed or told to stop at random moments."""
import signal
import time

from .workshop import caused


def layouts(shop):
    """The jobs that are ended early, by name: they take long enough to be hit."""
    side = 1100
    inputs = [shop.raster(f"in{number}.tif", side, 3, "UInt16", at, values=3000)
              for number, at in enumerate([(0, 0), (900, 40), (40, -900), (880, -870)])]
    for day in ("03", "11", "19"):
        for band in ("B04", "B03"):
            shop.raster(f"2024-06-{day}/{band}.tif", side, kind="UInt16", values=3000)
        shop.raster(f"2024-06-{day}/SCL.tif", side // 2, pixel=2, values=11)
    days = [f"2024-06-{day}" for day in ("03", "11", "19")]
    usual = ["--checkpoint", "0", "--progress", "none", "--block", "128"]
    return {
        "plain": [*inputs, *usual],
        "cog": [*inputs, *usual, "--format", "cog"],
        "median": [*days, *usual, "--bands", "B04,B03", "--mask-band", "SCL", "--mask-values", "1,3,8-11", "--method",
                   "median"],
    }


def other_cut(shop):
    """Windows and workers as another run may have them."""
    return ["--chunk", shop.random.choice([128, 256, 512]), "--threads", shop.random.choice([1, 2])]


@caused(6, 50)
def kill_and_resume(shop, times):
    """SIGKILL at random moments, then --resume: the undisturbed run's bytes and nothing beside."""
    for layout, words in layouts(shop).items():
        wanted = f"{layout}.tif"
        seconds = shop.done(*words, "-o", wanted).seconds
        bytes_wanted = shop.path(wanted).read_bytes()
        for _ in range(times):
            went_on = kill_until_done(shop, words, seconds)
            if shop.path("out.tif").read_bytes() != bytes_wanted:
                shop.fault(f"{layout}: other bytes after a kill and --resume")
            elif shop.hidden():
                shop.fault(f"{layout}: a finished run left {shop.hidden()}")
            else:
                shop.count(f"{layout}: {went_on}")
            shop.path("out.tif").unlink()
            for left in shop.hidden():
                shop.path(left).unlink()


def kill_until_done(shop, words, seconds):
    """Kills a run and those that go on with it, up to three, then lets one end; says what there was to go on with."""
    went_on = "ended before the kill"
    for _ in range(shop.random.choice([1, 1, 2, 3])):
        child = shop.start(*words, "-o", "out.tif", "--resume", *other_cut(shop))
        time.sleep(shop.random.uniform(0, seconds))
        child.kill()
        shop.end(child)
        if shop.path("out.tif").exists():
            return went_on
        has_entry = any(shop.path(name).stat().st_size > 0 for name in shop.hidden() if name.endswith(".index"))
        went_on = "went on with a part" if has_entry else "killed before the first entry"
    shop.done(*words, "-o", "out.tif", "--resume", *other_cut(shop))
    return went_on


@caused(4, 30)
def signals(shop, times):
    """SIGINT or SIGTERM at a random moment: exit code 130, the old output intact, what is kept is told."""
    for layout, words in layouts(shop).items():
        seconds = shop.done(*words, "-o", f"{layout}.tif").seconds
        wanted = shop.path(f"{layout}.tif").read_bytes()
        for time_number in range(times):
            shop.path("out.tif").write_bytes(b"something precious")
            child = shop.start(*words, "-o", "out.tif", "--overwrite", *other_cut(shop))
            time.sleep(shop.random.uniform(0, seconds))
            child.send_signal((signal.SIGINT, signal.SIGTERM)[time_number % 2])
            judge_stopped(shop, layout, shop.end(child), wanted)
            for left in shop.hidden():
                shop.path(left).unlink()


def judge_stopped(shop, layout, outcome, wanted):
    content, kept = shop.path("out.tif").read_bytes(), [n for n in shop.hidden() if n.endswith(".partial")]
    told = outcome.told[-300:]
    if outcome.code == 0:
        return shop.count(f"{layout}: done before") if content == wanted else shop.fault(f"{layout}: other bytes")
    if content != b"something precious":
        return shop.fault(f"{layout}: the old output is gone, code {outcome.code}: {told}")
    if outcome.code in (-signal.SIGINT, -signal.SIGTERM) and not shop.hidden():
        return shop.count(f"{layout}: before the program listens")
    if outcome.code != 130 or outcome.seconds > 3:
        return shop.fault(f"{layout}: code {outcome.code} after {outcome.seconds:.1f} s: {told}")
    if kept and not ("--resume" in told and "clean" in told):
        return shop.fault(f"{layout}: a part is kept and nobody is told: {told}")
    if shop.hidden() and not kept:
        return shop.fault(f"{layout}: {shop.hidden()} is left: {told}")
    return shop.count(f"{layout}: part kept and told" if kept else f"{layout}: nothing left")


@caused(2, 10)
def two_runs(shop, times):
    """Two runs to one output: the second is refused while the first works."""
    words = layouts(shop)["plain"]
    for number in range(times):
        first = shop.start(*words, "-o", "out.tif", "--threads", 1)
        deadline = time.monotonic() + 10
        while not any(name.endswith(".index") for name in shop.hidden()) and time.monotonic() < deadline:
            time.sleep(0.002)
        first.send_signal(signal.SIGSTOP)
        second = shop.run(*words, "-o", "out.tif", *(["--resume"] if number % 2 else []))
        cleaned = shop.run("clean", "out.tif")
        first.send_signal(signal.SIGCONT)
        if second.code != 1 or "another run" not in second.told or cleaned.code == 0:
            shop.fault(f"the second run: code {second.code}, clean: code {cleaned.code}: {second.told[-300:]}")
        elif shop.end(first).code != 0 or shop.hidden():
            shop.fault(f"the first run did not end well, or left {shop.hidden()}")
        else:
            shop.count("refused")
        shop.path("out.tif").unlink(missing_ok=True)


CASES = [kill_and_resume, signals, two_runs]
