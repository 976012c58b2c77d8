"""The jobs of scripts/bench-peers that composite dates of one place: masks, medians, and what they cost."""
from dataclasses import replace

from bench_jobs import Job, ours
from peer_report import Target
from peers import DASK, NEWER, NUMPY

DATES, MORE_DATES = 8, 60
# Classes of a Sentinel-2 scene classification that show no ground: no data, saturated, shadows, clouds, snow.
HIDDEN = "0,1,3,8,9,10,11"
CLEAR = ["--bands", "bands", "--mask-band", "SCL", "--mask-values", HIDDEN]
# GDAL rounds values half-way between two up, ours to even, as numpy does.
HALVES = 1
UNFINISHED = (
    "Pixels are not compared: numpy's steps (Weiszfeld's, 200 at most, each shorter than the one before) end up to some "
    "twenty short of the median where scenes lie far apart; scripts/check-statistics compares with as many as it takes.")
OVER_CODEC = (
    "Time in windows by that of decoding and encoding: from the report, the wall seconds of the stage run times the "
    "workers, divided by the seconds of all workers in read (opening, reading and decoding of bands and masks) and "
    "encode. To read and write the same rasters without a decision would take the latter; what is above 1 is deciding, "
    "waiting and handing over. Inspection, plan and verification are not in it.")


def dates(options, count=DATES, part=2, masked=False):
    """So many dates, their sides a part of --side: what they are, and the flags that generate them."""
    side = options.side // part
    flags = ["--layout", "dates", "--count", count, "--side", side, *(["--masked", "masked"] if masked else [])]
    return f"{count} dates of {side}² × 4 bands uint16 under clouds, SCL at half the resolution", flags


def composite(method, options, extra=(), **others):
    """Ours by a method, over clear pixels."""
    return ours([*CLEAR, "--method", method, *extra, *options.flags], " ".join(["--method", method, *extra]), **others)


def median(options, peers):
    words, scenes = dates(options, masked=True)
    mine = composite("median", options, ["--memory", "256MiB"])
    others = peers.raster_median("masked.txt", HALVES) + peers.dask_median("scenes", HIDDEN)
    targets = [Target.faster(f"{NEWER}, median", 5.0), Target.faster(f"{DASK}, median", 10.0),
               Target.peak(mine.name, 256)]
    notes = [f"{NEWER} gets copies in which pixels of masked classes are nodata, which its median leaves out: to make "
             "them is not in its time, and they are smaller to decode. It rounds values half-way between two up, ours "
             "to even."]
    return Job(f"Median: {words}", scenes, 2, mine, others, targets, options.pairs, notes=notes)


def deep(options, _):
    """More dates within the same budget, ours alone: no slower than in proportion?"""
    words, scenes = dates(options, MORE_DATES)
    extra = ["--memory", "512MiB"]
    few = composite("median", options, extra)
    few = replace(few, name=f"{few.name}, {DATES} dates")
    many = composite("median", options, extra, inputs="more", output="more.tif")
    many = replace(many, name=f"{many.name}, {MORE_DATES} dates")
    targets = [Target.peak(many.name, 512), Target.time_of(many.name, 1.2 * MORE_DATES / DATES)]
    return Job(f"Median: {words}, beside the first {DATES}", dates(options)[1], 6, few, [many], targets, options.pairs,
               more_scenes={"more": scenes})


def simple(options, _):
    """Rules that cost next to nothing beside decoding and encoding."""
    words, scenes = dates(options)

    def measured(method):
        one = composite(method, options, ["--report", f"{method}.json"], output=f"{method}.tif")
        # Each rule has pixels of its own.
        return replace(one, name=f"mosaic-stream --method {method}", report=f"{method}.json", comparable=False)

    first, *others = [measured(method) for method in ["mean", "min", "max", "count"]]
    targets = [Target.over_codec(one.name, 1.3) for one in [first, *others]]
    return Job(f"Mean, minimum, maximum, count: {words}", scenes, 2, first, others, targets, options.pairs,
               notes=[OVER_CODEC])


def medoid(options, peers):
    words, scenes = dates(options)
    return together("medoid", "Medoid", words, scenes, 0, options, peers)


def geomedian(options, peers):
    # A quarter of the pixels of the others: numpy takes its time.
    words, scenes = dates(options, part=4)
    job = together("geomedian", "Geometric median", words, scenes, 0, options, peers)
    others = [replace(other, comparable=False) for other in job.others]
    return replace(job, others=others, notes=[*job.notes, UNFINISHED])


def together(rule, title, words, scenes, tolerance, options, peers):
    """A rule that decides all bands together, beside the same formulas by numpy."""
    notes = ["numpy gets rows of whole blocks, decides them in small pieces, and computes in Float32 as ours does; by "
             "itself it takes one CPU, and beside it stands the same with a thread for each."]
    return Job(f"{title}: {words}", scenes, 2, composite(rule, options),
               peers.numpy_composites(rule, "scenes", HIDDEN, tolerance), [Target.faster(f"{NUMPY}, {rule}", 10.0)],
               options.pairs, notes=notes)


COMPOSITE_JOBS = {"median": median, "deep": deep, "simple": simple, "medoid": medoid, "geomedian": geomedian}
