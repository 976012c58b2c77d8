"""One job of a benchmark: its contenders run in turns with ours, their files compared, and what came out of it."""
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from measuring import ROOT, TARGET, Run, machine, make_scenes, measure, work_folder
from peers import outcome, said, validators


def run_once(contender, folder):
    """All steps of one run, into a file that is not there yet; their times summed."""
    for name in (contender.output, contender.report):
        if name:
            (folder / name).unlink(missing_ok=True)
    runs = []
    for step in contender.steps:
        runs.append(measure(step, contender.environment, folder))
        if runs[-1].code:
            break
    total = Run(runs[-1].code, sum(run.seconds for run in runs), sum(run.cpu_seconds for run in runs),
                max(run.peak_mib for run in runs), runs[-1].message)
    if contender.report and not total.code:
        total.over_codec = over_codec(json.loads((folder / contender.report).read_text()))
    print(f"{contender.name}: {total.seconds:.2f} s, {total.peak_mib:.0f} MiB", file=sys.stderr, flush=True)
    return total


def over_codec(report):
    """Of a run of ours the workers' whole time in windows, divided by what reading and encoding took of it.

    Wall seconds of the stage "run" times the workers, by the workers' seconds in "read" (opening, reading, decoding of
    bands and masks) and "encode". What stands before and behind the windows (plan, verification) is not in it.
    """
    seconds = report["seconds"]
    return seconds["run"] * report["plan"]["workers"] / (seconds["read"] + seconds["encode"])


def excepting(*topics):
    return [part for topic in topics for part in ("--except", topic)]


def comparison(one, other, folder):
    """Whether a contender's file holds the pixels of ours: "same", or what differs, or why that is not known."""
    # gdalbuildvrt loses the bands' descriptions, and others the colours' meaning; pixels, place and nodata must agree.
    excepted = excepting("description", "colours")
    files = folder / one.output, folder / other.output
    code, words = compare(*files, excepted, folder)
    if code == 1 and other.tolerance:
        near, beyond = compare(*files, [*excepted, "--tolerance", str(other.tolerance)], folder)
        return f"differs: {beyond}" if near else f"same within {other.tolerance} ({words})"
    return {0: "same", 1: f"differs: {words}"}.get(code, f"not compared: {words}")


def overviews(one, other, folder):
    """Whether the first overviews are alike: how levels are rounded is not prescribed, so this is only told."""
    first = [f"GTIFF_DIR:2:{folder / contender.output}" for contender in (one, other)]
    excepted = excepting("geotransform", "crs", "description", "colours", "nodata", "validity")
    code, words = compare(*first, excepted, folder)
    return f"first overview beside that of {other.name}: {words if code else 'the same pixels'}"


def compare(one, other, excepted, folder):
    """The exit code of compare-rasters and the first line that it says."""
    done = subprocess.run([ROOT / "scripts/compare-rasters", one, other, *excepted], capture_output=True, text=True,
                          check=False)
    words = (done.stdout + done.stderr).replace(f"{folder}/", "").strip().splitlines()
    return done.returncode, words[0] if words else "no reason given"


class Rounds:
    """The runs of a job in its folder, and what was found out about the files on the way."""

    def __init__(self, job, folder):
        self.job, self.folder = job, folder
        self.pairs = {other.name: [] for other in job.others}
        self.sizes, self.equal, self.notes, self.well = {}, {}, [], True

    def run(self, peers):
        dropped = set()
        for number in range(self.job.pairs + 1):
            for other in self.job.others:
                # The slow one meets ours once, in the first measured round.
                if other.name in dropped or (other.once and number != 1):
                    continue
                mine, theirs = run_once(self.job.ours, self.folder), run_once(other, self.folder)
                for contender, run in ((self.job.ours, mine), (other, theirs)):
                    if run.code and contender.ours:
                        sys.exit(f"{contender.name} ended with exit {run.code}: {run.message}")
                if theirs.code:
                    self.notes.append(f"{other.name}: left out, it ended with exit {theirs.code}: {theirs.message}")
                    dropped.add(other.name)
                    continue
                if number:
                    self.pairs[other.name].append((mine, theirs))
                if other.name not in self.sizes:
                    self.look_at(other, peers)
                (self.folder / other.output).unlink(missing_ok=True)

    def look_at(self, other, peers):
        """Sizes, equal pixels and valid COGs: once a contender, while both files are there."""
        mine = self.job.ours
        if self.job.cog and mine.name not in self.sizes:
            for name, command in validators(peers, mine.output).items():
                valid, line = outcome(name, command, self.folder)
                self.well &= valid
                self.notes.append(f"{mine.name}, {line}")
        for contender in (mine, other):
            self.sizes[contender.name] = (self.folder / contender.output).stat().st_size
        if other.comparable and not self.job.more_scenes:
            self.equal[other.name] = comparison(mine, other, self.folder)
            self.well &= not self.equal[other.name].startswith("differs")
            if self.job.cog and not other.ours:
                self.notes.append(overviews(mine, other, self.folder))

    def summaries(self):
        mine = [pair[0] for pairs in self.pairs.values() for pair in pairs]
        found = [self.summary(self.job.ours, mine, None)]
        return found + [self.summary(other, [pair[1] for pair in self.pairs[other.name]], self.pairs[other.name])
                        for other in self.job.others if self.pairs[other.name]]

    def summary(self, contender, runs, pairs):
        seconds = [run.seconds for run in runs]
        shares = [run.over_codec for run in runs if run.over_codec is not None]
        ratios = [theirs.seconds / mine.seconds for mine, theirs in pairs or []]
        return {
            "name": contender.name, "ours": contender.ours, "commands": contender.commands(),
            "median_seconds": statistics.median(seconds), "least_seconds": min(seconds), "most_seconds": max(seconds),
            "median_cpu_seconds": statistics.median(run.cpu_seconds for run in runs),
            "peak_rss_mib": max(run.peak_mib for run in runs), "file_bytes": self.sizes[contender.name],
            "over_codec": statistics.median(shares) if shares else None,
            "times_ours": statistics.median(ratios) if ratios else None, "pair_ratios": ratios,
            "pixels": self.equal.get(contender.name), "runs": [asdict(run) for run in runs],
        }


def run_job(job, options, peers):
    """The record of one job."""
    parent = os.environ.get("MOSAIC_STREAM_DISK") or TARGET if job.disk else None
    with work_folder(job.gibibytes if options.side > 2000 else 1, parent) as name:
        folder = Path(name)
        for scenes, flags in {"scenes": job.scenes, **job.more_scenes}.items():
            make_scenes(folder / scenes, *map(str, flags), inside=folder)
        for listed in sorted(path for path in folder.iterdir() if path.is_dir()):
            files = sorted(listed.glob("*.tif"))
            listed.with_suffix(".txt").write_text("".join(f"{listed.name}/{file.name}\n" for file in files))
        if job.disk:
            # Inputs still on their way to the disk would be timed with the outputs.
            subprocess.run(["sync", *sorted((folder / "scenes").glob("*.tif"))], check=True)
        filesystem = said(["stat", "-f", "-c", "%T", folder]) or "unknown"
        rounds, load, about = Rounds(job, folder), os.getloadavg()[0], machine()
        rounds.run(peers)
    if not any(rounds.pairs.values()):
        sys.exit("no contender ended well:\n" + "\n".join(rounds.notes))
    record = {
        "title": job.title, "pairs": job.pairs, "filesystem": filesystem, "load_before": round(load, 1),
        "machine": about, "versions": dict(peers.versions), "contenders": rounds.summaries(),
        "notes": job.notes + rounds.notes + peers.notes,
    }
    record["targets"] = [found for target in job.targets if (found := target.judge(record["contenders"]))]
    return record, rounds.well
