"""The jobs of scripts/bench-peers: what is made of what, by whom, and which figures are to be met."""
import sys
from dataclasses import dataclass, field

from measuring import PROGRAM
from peer_report import Target
from peers import NEWER, Contender, said

MEMORY, TIGHT = ["--memory", "512MiB"], ["--memory", "128MiB"]


@dataclass
class Job:
    """One kind of work: its inputs (flags of make_scenes), ours, the others in turn with it, and what is to be met."""

    title: str
    scenes: list
    gibibytes: int
    ours: Contender
    others: list
    targets: list
    pairs: int
    disk: bool = False
    # Inputs of contenders that have their own, by folder.
    more_scenes: dict = field(default_factory=dict)
    cog: bool = False
    # What a reader of the figures must know.
    notes: list = field(default_factory=list)


def ours(extra=(), label="", inputs="scenes", output="ours.tif"):
    name = "mosaic-stream" + (f" {label}" if label else "")
    return Contender(name, [[PROGRAM, inputs, "-o", output, "--quiet", *extra]], output, ours=True)


def four_scenes(options):
    """The inputs of most jobs: what they are, and the flags that generate them."""
    words = f"four overlapping {options.side}² scenes × 4 bands uint16, LZW with predictor 2"
    return words, ["--side", options.side]


def mosaic(options, peers):
    words, scenes = four_scenes(options)
    inputs = [f"scenes/scene_{row:02}_{column:02}.tif" for row in range(2) for column in range(2)]
    others = (peers.raster_mosaic() + peers.translate() + peers.warp() + peers.rio_merge(inputs)
              + peers.merge_script())
    return Job(f"Mosaic: {words}", scenes, 4, ours(options.flags), others,
               [Target.faster(NEWER, 3.0), Target.size(NEWER, 1.02)], options.pairs)


def cog(options, peers):
    help_text = said([PROGRAM, "--help"]) or ""
    if "--format" not in help_text:
        print("bench-peers: job cog is skipped: this mosaic-stream has no --format", file=sys.stderr)
        return None
    words, scenes = four_scenes(options)
    averages = ["--overview-resampling", "average"] if "--overview-resampling" in help_text else []
    plain = ours(options.flags, "without overviews", output="plain.tif")
    targets = [Target.faster(f"{NEWER} -f COG", 4.0), Target.our_time(plain.name, 1.35)]
    return Job(f"COG with overviews: {words}", scenes, 5,
               ours(["--format", "cog", *averages, *options.flags], "--format cog"),
               peers.raster_mosaic(cog=True) + [plain], targets, options.pairs, cog=True)


def many(options, peers):
    return Job(f"{options.count:,} inputs of 64² × 4 bands uint16, LZW with predictor 2", tiles(options.count), 2,
               ours(options.flags), peers.raster_mosaic() + peers.translate(), [Target.faster(NEWER, 5.0)],
               options.pairs)


def huge(options, _):
    """Ten times as many inputs, ours alone: is the time linear, and the memory bounded?"""
    count, flags = 10 * options.count, [*MEMORY, *options.flags]
    fewer = ours(flags, f"{' '.join(MEMORY)}, {options.count:,} inputs")
    more = ours(flags, f"{' '.join(MEMORY)}, {count:,} inputs", "more", "more.tif")
    # Linear would be 10.
    targets = [Target.peak(more.name, 512), Target.time_of(more.name, 12.0)]
    return Job(f"{count:,} inputs of 64² × 4 bands uint16 beside {options.count:,}, LZW with predictor 2",
               tiles(options.count), 6, fewer, [more], targets, 1, more_scenes={"more": tiles(count)})


def memory(options, peers):
    words, scenes = four_scenes(options)
    first = ours([*MEMORY, *options.flags], " ".join(MEMORY))
    tight = ours([*TIGHT, *options.flags], " ".join(TIGHT), output="tight.tif")
    targets = [Target.faster(NEWER, 3.0), Target.time_of(tight.name, 1.3), Target.peak(first.name, 512),
               Target.peak(tight.name, 128)]
    return Job(f"Within a budget: {words}", scenes, 4, first, [tight] + peers.raster_mosaic(), targets, options.pairs)


def disk(options, peers):
    words, scenes = four_scenes(options)
    return Job(f"On disk, durability included: {words}", scenes, 4, ours(options.flags), peers.raster_mosaic(sync=True),
               [], 1, disk=True)


def tiles(count):
    return ["--layout", "tiles", "--count", count, "--side", 64]


# Each makes the job, or None, with the reason on stderr, where the program cannot do it yet.
MOSAIC_JOBS = {"mosaic": mosaic, "cog": cog, "many": many, "huge": huge, "memory": memory, "disk": disk}
