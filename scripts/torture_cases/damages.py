"""Sources with damaged headers and blocks."""
import struct
from concurrent.futures import ThreadPoolExecutor

from .workshop import caused

CODECS = ["DEFLATE", "LZW", "ZSTD", "NONE"]
SHAPES = ["TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=32", "BLOCKYSIZE=9", "BLOCKYSIZE=300"]
# Bytes of a value of each type of a TIFF field (TIFF 6.0, section 2; BigTIFF adds 16 to 18).
WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8, 18: 8}
# Places and sizes of strips and tiles.
OFFSETS, COUNTS = (273, 324), (279, 325)


@caused(40, 500)
def damaged_sources(shop, times):
    """A source with a damaged header, index or block: an error that names it, or the pixels that GDAL reads of it."""
    with ThreadPoolExecutor(2) as pool:
        # All that is random is drawn in order, whichever thread is quicker.
        list(pool.map(lambda case: judge(shop, *case), [prepare(shop, number) for number in range(times)]))


def prepare(shop, number):
    """Makes one damaged source; says how."""
    codec = shop.random.choice(CODECS)
    kind = shop.random.choice(["Byte", "UInt16", "Float32"])
    predictors = [1] if codec == "NONE" else [1, 2, 3] if kind == "Float32" else [1, 2]
    predictor = shop.random.choice(predictors)
    layout = shop.random.choice(["", "BIGTIFF=YES", "INTERLEAVE=BAND"])
    flags = f"COMPRESS={codec} {shop.random.choice(SHAPES)} {layout}"
    if codec != "NONE":
        flags += f" PREDICTOR={predictor}"
    name = shop.raster(f"bad{number}.tif", shop.random.randrange(60, 140), shop.random.choice([1, 3]), kind,
                       options=flags)
    what, damaged = damage(bytearray(shop.path(name).read_bytes()), shop.random)
    shop.path(name).write_bytes(damaged)
    reader = shop.random.choice(["auto", "auto", "direct", "vrt"])
    return name, f"{flags} {kind}: {what}, --reader {reader}", reader


def damage(data, random):
    """Damages a TIFF in one of the ways that disks, copies and programs do."""
    fields = list(fields_of(data))
    places = [field for field in fields if field[0] in OFFSETS]
    sizes = [field for field in fields if field[0] in COUNTS]
    way = random.choice(["header", "directory", "offset", "size", "block", "bit", "block", "cut", "zeroes"])
    if way == "header":
        at = random.randrange(16)
        data[at] = random.randrange(256)
        return f"byte {at} is {data[at]}", data
    if way == "directory":
        tag, at, width, count = random.choice(fields)
        put(data, at, width, random.choice([0, 1, 7, 65535, 2**31, 2**32 - 1, random.randrange(len(data))]))
        return f"tag {tag} is another", data
    if way in ("offset", "size"):
        tag, at, width, count = random.choice(places if way == "offset" else sizes)
        which = random.randrange(count)
        value = random.choice([0, 1, len(data), len(data) - 3, 2**31, 2**32 - 1, random.randrange(len(data))])
        put(data, at + which * width, width, value)
        return f"{way} {which} is {value}", data
    start = random.randrange(len(data) // 3, len(data))
    if way == "cut":
        return f"cut to {start} bytes", data[:start]
    if way == "zeroes":
        data[start:start + 4096] = bytes(len(data[start:start + 4096]))
        return f"4 KiB of zeroes at {start}", data
    for at in range(start, min(start + (1 if way == "bit" else random.choice([2, 30, 400])), len(data))):
        data[at] ^= 1 << random.randrange(8) if way == "bit" else random.randrange(256)
    return f"{way} at {start} of {len(data)}", data


def put(data, at, width, value):
    data[at:at + width] = (value % 256**width).to_bytes(width, "little")


def fields_of(data):
    """Tag, place of the first value, bytes of a value and number of values, of each field of the first directory."""
    big = data[2] == 43
    entry, head = (20, 8) if big else (12, 2)
    at = struct.unpack_from("<Q", data, 8)[0] if big else struct.unpack_from("<I", data, 4)[0]
    for number in range(struct.unpack_from("<Q" if big else "<H", data, at)[0]):
        start = at + head + number * entry
        tag, kind = struct.unpack_from("<HH", data, start)
        count = struct.unpack_from("<Q" if big else "<I", data, start + 4)[0]
        width, value = WIDTHS[kind], start + (12 if big else 8)
        if count * width > (8 if big else 4):
            value = struct.unpack_from("<Q" if big else "<I", data, value)[0]
        yield tag, value, width, count


def mosaic(shop, name, output, reader):
    return shop.run(name, "-o", output, "--reader", reader, "--compress", "none", "--memory", "256MiB", "--threads", 2,
                    "--progress", "none", "--verify", "none", "--overwrite")


def zstd_tells_otherwise(shop, name, what, gdals):
    """Whether only the zstd library differs: two versions of it make other bytes of the same damaged block, without an
    error. Through GDAL's own the pixels must be GDAL's."""
    damaged_block = any(f"{way} at " in what for way in ("block", "bit", "zeroes"))
    if "COMPRESS=ZSTD" not in what or not damaged_block:
        return False
    good = mosaic(shop, name, f"vrt-{name}", "vrt").code == 0
    return good and shop.pixels(f"vrt-{name}", f"{name}.vrt") in gdals


def judge(shop, name, what, reader):
    output = f"out-{name}"
    outcome = mosaic(shop, name, output, reader)
    told = outcome.told[-300:]
    if outcome.code == 0:
        ours = shop.pixels(output, f"{name}.ours")
        gdals = {shop.pixels(name, f"{name}.gdal")}
        if ours not in gdals:
            # libtiff may hand out memory that nobody has filled; what it reads then differs from time to time.
            gdals |= {shop.pixels(name, f"{name}.gdal") for _ in range(6)}
        if ours in gdals:
            shop.count("GDAL's pixels")
        elif len(gdals) > 1 and None not in gdals:
            shop.count("GDAL's pixels differ from time to time")
        elif zstd_tells_otherwise(shop, name, what, gdals):
            shop.count("ZSTD damage without a checksum, read by another zstd")
        else:
            shop.fault(f"{what}: {'GDAL cannot read it' if None in gdals else 'other pixels than GDAL'} ({name})")
            return
    elif outcome.code != 1 or name not in outcome.told:
        shop.fault(f"{what}: code {outcome.code}: {told}")
    elif shop.path(output).exists():
        shop.fault(f"{what}: a failed run left an output")
    else:
        shop.count("told as an error")
    shop.path(name).unlink()
    shop.path(output).unlink(missing_ok=True)


CASES = [damaged_sources]
