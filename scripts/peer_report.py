"""What scripts/bench-peers writes of its runs: targets, a record as JSON, a page of Markdown, and bars as SVG."""
import html
import json
from dataclasses import dataclass

from measuring import machine_line

ORDER = ["mosaic", "cog", "many", "huge", "memory", "disk", "median", "deep", "simple", "medoid",
         "geomedian"]
# Bars of the chart: width of the labels and of the longest bar, height of a row, in pixels.
LABELS, LONGEST, ROW = 350, 380, 24
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.heading { font-weight: 600 } .name { text-anchor: end }
.ground { fill: #ffffff } .ours { fill: #0969da } .peer { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .ground { fill: #0d1117 } .ours { fill: #4493f8 } .peer { fill: #6e7681 }
}
</style>"""


@dataclass
class Target:
    """A figure to be met: what it is, whose, of which kind, and its limit."""

    what: str
    whose: str
    kind: str
    limit: float

    @classmethod
    def faster(cls, peer, limit):
        return cls(f"times as fast as {peer}", peer, "faster", limit)

    @classmethod
    def size(cls, peer, limit):
        return cls(f"size of the file divided by that of {peer}", peer, "size", limit)

    @classmethod
    def our_time(cls, other, limit):
        return cls(f"time divided by that of {other}", other, "our time", limit)

    @classmethod
    def time_of(cls, other, limit):
        return cls(f"time of {other} divided by that of the first", other, "time", limit)

    @classmethod
    def over_codec(cls, who, limit):
        return cls(f"time in windows divided by that of decoding and encoding, {who}", who, "over codec", limit)

    @classmethod
    def peak(cls, who, limit):
        return cls(f"peak RSS MiB of {who}", who, "peak", limit)

    def judge(self, contenders):
        """The measured figure and whether it is met; None where that contender was not measured."""
        found = {who["name"]: who for who in contenders}
        mine, who = contenders[0], found.get(self.whose)
        if who is None:
            return None
        measured = {
            "faster": lambda: who["times_ours"],
            "time": lambda: who["times_ours"],
            "our time": lambda: 1 / who["times_ours"],
            "size": lambda: mine["file_bytes"] / who["file_bytes"],
            "over codec": lambda: who["over_codec"],
            "peak": lambda: who["peak_rss_mib"],
        }[self.kind]()
        at_least = self.kind == "faster"
        return {"what": self.what, "limit": f"{'≥' if at_least else '≤'} {self.limit:g}", "measured": measured,
                "met": measured >= self.limit if at_least else measured <= self.limit}


def write_reports(path, name, job):
    """Adds a job to the day's record, and writes the page and the chart anew; each job has its own commit in it."""
    file = path.with_suffix(".json")
    record = json.loads(file.read_text()) if file.is_file() else {"date": path.name[:10], "jobs": {}}
    record["jobs"][name] = job
    record["jobs"] = {key: record["jobs"][key] for key in ORDER if key in record["jobs"]}
    file.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    path.with_suffix(".svg").write_text(chart(record))
    path.with_suffix(".md").write_text(page(record, path.with_suffix(".svg").name))


def page(record, picture):
    jobs = record["jobs"].values()
    lines = [f"# Whole commands side by side, {record['date']}", "", f"![Median seconds of each command]({picture})",
             ""]
    if any(job["targets"] for job in jobs):
        lines += ["| job | target | limit | measured | |", "|---|---|---|---|---|"]
        lines += [f"| {name} | {target['what']} | {target['limit']} | {figure(target['measured'])} "
                  f"| {'met' if target['met'] else '**missed**'} |"
                  for name, job in record["jobs"].items() for target in job["targets"]] + [""]
    for job in jobs:
        lines += section(job)
    return "\n".join(lines)


def section(job):
    pairs = f"{job['pairs']} pair{'s' if job['pairs'] > 1 else ''}"
    lines = [f"## {job['title']}", "",
             f"{machine_line(job['machine'])}; files on {job['filesystem']}; load {job['load_before']} at the start.",
             "",
             f"{pairs} with each contender after a warm-up, medians; “times ours” is its time divided by ours, the "
             "median of the pairs with their range behind it. GDAL_CACHEMAX is 512 for the peers.", "",
             "| who | seconds | least to most | runs | CPU seconds | peak RSS MiB | file MB | times ours | pixels |",
             "|---|---|---|---|---|---|---|---|---|"]
    for who in job["contenders"]:
        ratios = who["pair_ratios"]
        times = f"{who['times_ours']:.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
        lines.append("| {name} | {median_seconds:.2f} | {least_seconds:.2f} to {most_seconds:.2f} | {count} "
                     "| {median_cpu_seconds:.1f} | {peak_rss_mib:.0f} | {size:.1f} | {times} | {same} |"
                     .format(count=len(who["runs"]), size=who["file_bytes"] / 1e6, times=times,
                             same=who["pixels"] or "", **who))
    commands = [command for who in job["contenders"] for command in who["commands"]]
    # Ten thousand names would bury the rest.
    commands = [command if len(command) < 1000 else command[:1000] + " …" for command in commands]
    versions = "; ".join(f"{name}: {version}" for name, version in job["versions"].items())
    return lines + ["", *[f"- {note}" for note in job["notes"]], *([""] if job["notes"] else []), "```sh", *commands,
                    "```", "", f"{versions}.", ""]


def figure(number):
    return f"{number:.0f}" if number >= 100 else f"{number:.2f}"


def chart(record):
    """Horizontal bars of the median seconds, each job on its own scale; colours follow the reader's light or dark."""
    body, top = [], 34
    for job in record["jobs"].values():
        longest = max(who["median_seconds"] for who in job["contenders"])
        body.append(text(16, top + 14, job["title"], "heading"))
        top += 24
        for who in job["contenders"]:
            width = max(1.0, who["median_seconds"] / longest * LONGEST)
            body += [text(LABELS - 8, top + 15, who["name"], "name"),
                     f'<rect class="{"ours" if who["ours"] else "peer"}" x="{LABELS}" y="{top + 3}" '
                     f'width="{width:.1f}" height="{ROW - 7}" rx="2"/>',
                     text(LABELS + width + 6, top + 15, f"{who['median_seconds']:.2f} s", "value")]
            top += ROW
        top += 16
    width, title = LABELS + LONGEST + 90, f"Seconds of whole commands, medians, {record['date']}; less is better"
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" width="{width}" height="{top}" '
        f'role="img" aria-label="{html.escape(title)}">',
        STYLE, f'<rect class="ground" width="{width}" height="{top}"/>',
        text(16, 22, title, "value"), *body, "</svg>", ""])


def text(x, y, words, kind):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{html.escape(words)}</text>'
