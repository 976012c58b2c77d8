"""Names that programs like least."""
import os
import shutil

from .workshop import caused

ODD = ["with space.tif", "it's \"quoted\".tif", "new\nline.tif", "tab\there.tif", "-dash.tif",
       "ünïcödé 衛星.tif", "a,b;c.tif", "100%.tif", "$HOME `id`.tif", "*.tif", "[x].tif", "back\\slash.tif",
       "x" * 251 + ".tif", "#hash.tif", "a?b=c&d.tif", "@list.tif", "~.tif", "e\u0301.tif", "🛰.tif", "a:b.tif",
       "NETCDF:x.tif", "<a>.tif", ".hidden.tif", "nodot", " .tif"]


@caused(1, 1)
def odd_names(shop, _):
    """Names with spaces, quotes, newlines, wildcards, other scripts: they work, or are refused by name."""
    shop.raster("a.tif", 100)
    shop.done("a.tif", "-o", "wanted.tif")
    wanted = shop.path("wanted.tif").read_bytes()
    for name in ODD:
        shutil.copy(shop.path("a.tif"), shop.path(name))
        # A leading dash is a flag, @ a list: as everywhere, ./ in front says that it is a file.
        judge(shop, f"input {name!r}", shop.run(f"./{name}", "-o", "out.tif"), "out.tif", wanted, name)
        shop.path(name).unlink()
        judge(shop, f"output {name!r}", shop.run("a.tif", "-o", f"./{name}"), name, wanted, name)
        if shop.hidden() and shop.hidden() != [name]:
            shop.fault(f"output {name!r} left {shop.hidden()}")


def judge(shop, what, outcome, output, wanted, name):
    path = shop.path(output)
    if outcome.code == 0 and path.is_file() and path.read_bytes() == wanted:
        shop.count("works")
    elif outcome.code == 1 and not path.exists() and (name in outcome.told or repr(name)[1:-1] in outcome.told):
        shop.count("refused by name")
    else:
        shop.fault(f"{what}: code {outcome.code}: {outcome.told[-300:]}")
    path.unlink(missing_ok=True)


@caused(1, 1)
def long_paths(shop, _):
    """Paths up to and beyond 4,096 bytes: they work, or are refused by name."""
    shop.raster("a.tif", 100)
    shop.done("a.tif", "-o", "wanted.tif")
    wanted = shop.path("wanted.tif").read_bytes()
    here = os.getcwd()
    os.chdir(shop.folder)
    # Each folder is made from within the one before, since the whole path may be too long for the system.
    deep = ""
    while len(deep) < 4300:
        os.mkdir("d" * 199)
        os.chdir("d" * 199)
        deep += "d" * 199 + "/"
        if len(deep) < 1900 or len(deep) > 3500:
            shutil.copy(shop.path("a.tif"), "in.tif")
    os.chdir(here)
    for folders in (8, 9, 18, 19, 20, 21):
        path = "/".join(["d" * 199] * folders)
        judge(shop, f"input of {len(path) + 7} bytes", shop.run(f"{path}/in.tif", "-o", "out.tif"), "out.tif", wanted,
              "dddd")
        made = shop.run("a.tif", "-o", f"{path}/made.tif")
        if made.code not in (0, 1) or made.code == 1 and "dddd" not in made.told:
            shop.fault(f"output of {len(path) + 9} bytes: code {made.code}: {made.told[-300:]}")
        else:
            shop.count("works" if made.code == 0 else "refused by name")


@caused(1, 1)
def names_that_are_not_utf8(shop, _):
    """Names that are not UTF-8, as inputs, in a folder, a glob, a list: all refused by name at once."""
    shop.raster("a.tif", 100)
    shop.path("folder").mkdir()
    bad = [b"one\xff.tif", b"two\xfe.tif", b"three\xc3.tif"]
    for name in bad:
        shutil.copy(shop.path("a.tif"), os.fsencode(shop.folder) + b"/" + name)
        shutil.copy(shop.path("a.tif"), os.fsencode(shop.folder) + b"/folder/" + name)
    (shop.path("list.txt")).write_bytes(b"\n".join(bad))
    ways = {"inputs": [os.fsdecode(name) for name in bad], "folder": ["folder"], "glob": ["folder/*.tif"]}
    for way, words in ways.items():
        outcome = shop.run(*words, "a.tif", "-o", "out.tif")
        expect(shop, way, outcome, ["one", "two", "three"])
    expect(shop, "list", shop.run("@list.txt", "-o", "out.tif"), ["line 1", "line 2", "line 3"])
    expect(shop, "output", shop.run("a.tif", "-o", os.fsdecode(b"out\xff.tif")), ["out"])
    if any(name.startswith("out") for name in shop.names()):
        shop.fault("an output was made")


def expect(shop, way, outcome, words):
    if outcome.code in (1, 2) and all(word in outcome.told for word in words) and "UTF-8" in outcome.told:
        shop.count("refused by name")
    else:
        shop.fault(f"{way}: code {outcome.code}: {outcome.told[-400:]}")


CASES = [odd_names, long_paths, names_that_are_not_utf8]
