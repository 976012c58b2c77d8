"""The pictures of docs/compositing.md: small PNGs with a palette of their own, drawn of the files its commands write."""
import re
import sys

import numpy
from osgeo import gdal

gdal.UseExceptions()
SIDE = 360
# Values of the bands that become black and white in natural colours. The same for all pictures, so that they compare.
BLACK, WHITE = 150, 1800
# What has no data.
NOTHING = (38, 38, 38)
# Colours at even steps from the least to the greatest value. NDVI from water over soil to dense green, and what is
# counted or numbered from dark to bright.
GREENNESS = [(24, 54, 92), (70, 110, 150), (226, 214, 186), (214, 190, 120), (140, 180, 80), (60, 140, 50), (10, 80, 30)]
STEPS = [(68, 1, 84), (64, 67, 135), (41, 120, 142), (34, 167, 132), (121, 209, 81), (253, 231, 36)]


def natural(name):
    """Bands 1, 2 and 3 of a file as red, green and blue."""
    return lambda folder: colours(gdal.Open(str(folder / name)))


def ramp(name, band, least, greatest, steps):
    """A band of a file, its values from the least to the greatest over colours."""
    return lambda folder: along(gdal.Open(str(folder / name)), band, least, greatest, steps)


# What is drawn, by the picture's name.
PICTURES = {
    "last": natural("last.tif"),
    "median": natural("median.tif"),
    "edges": natural("edges.tif"),
    "buffer": natural("buffer.tif"),
    "count": ramp("origin.tif", 5, 1, 12, STEPS),
    "provenance": ramp("origin.tif", 6, 12, 1, STEPS),
    "ndvi": ramp("ndvi.tif", 1, -0.5, 0.9, GREENNESS),
    "greenest": natural("greenest.tif"),
    "sure": natural("sure.tif"),
}


def colours(raster):
    """Red, green and blue from 0 to 255, one plane each."""
    size = {"buf_xsize": SIDE, "buf_ysize": SIDE}
    average = gdal.GRIORA_Average
    planes = [raster.GetRasterBand(band).ReadAsArray(**size, resample_alg=average) for band in (1, 2, 3)]
    stretched = numpy.clip((numpy.array(planes, float) - BLACK) / (WHITE - BLACK), 0, 1) * 255
    return with_nothing(stretched.round(), raster.GetRasterBand(1))


def along(raster, number, least, greatest, steps):
    """The values of a band over colours, one plane each of red, green and blue."""
    band = raster.GetRasterBand(number)
    values = band.ReadAsArray(buf_xsize=SIDE, buf_ysize=SIDE).astype(float)
    place = (values - least) / (greatest - least) * (len(steps) - 1)
    at = numpy.arange(len(steps))
    planes = [numpy.interp(place, at, [step[part] for step in steps]) for part in range(3)]
    return with_nothing(numpy.nan_to_num(numpy.array(planes)).round(), band)


def with_nothing(planes, band):
    valid = band.GetMaskBand().ReadAsArray(buf_xsize=SIDE, buf_ysize=SIDE) > 0
    return numpy.where(valid, planes, numpy.array(NOTHING)[:, None, None]).astype(numpy.uint8)


def write(planes, path):
    """A PNG with a palette: a third of the bytes of one with all colours."""
    memory = gdal.GetDriverByName("MEM")
    picture = memory.Create("", SIDE, SIDE, 3, gdal.GDT_Byte)
    picture.WriteArray(planes)
    table = gdal.ColorTable()
    gdal.ComputeMedianCutPCT(*(picture.GetRasterBand(band) for band in (1, 2, 3)), 256, table)
    entries = numpy.array([table.GetColorEntry(index)[:3] for index in range(table.GetCount())], float)
    pixels = planes.reshape(3, -1).T.astype(float)
    # GDAL cuts colours of 5 bits a part, so that a lake is teal here and blue there: entries move to the means of their
    # pixels.
    for _ in range(3):
        nearest = closest(entries, pixels)
        counts = numpy.bincount(nearest, minlength=len(entries))
        sums = [numpy.bincount(nearest, pixels[:, part], len(entries)) for part in range(3)]
        entries = numpy.where(counts[:, None] > 0, numpy.array(sums).T / numpy.maximum(counts, 1)[:, None], entries)
    for index, entry in enumerate(entries.round().astype(int)):
        table.SetColorEntry(index, (*map(int, entry), 255))
    painted = memory.Create("", SIDE, SIDE, 1, gdal.GDT_Byte)
    painted.GetRasterBand(1).SetColorTable(table)
    painted.WriteArray(closest(entries, pixels).astype(numpy.uint8).reshape(SIDE, SIDE))
    gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
    gdal.GetDriverByName("PNG").CreateCopy(str(path), painted, options=["ZLEVEL=9"])


def closest(entries, pixels):
    """The index of the nearest entry to each pixel: |a - b|² without |a|², which is the same for all entries."""
    return (numpy.square(entries).sum(1) - 2 * pixels @ entries.T).argmin(1)


def compare(page):
    """Ends where the page shows other pictures than those that are drawn."""
    shown = set(re.findall(r"\(pictures/(\w+)\.png\)", page))
    if shown != set(PICTURES):
        sys.exit(f"tutorial: only on the page or only drawn: {sorted(shown ^ set(PICTURES))}")


def draw(folder, pictures):
    """Draws all pictures of the files in a folder into another one."""
    pictures.mkdir(parents=True, exist_ok=True)
    for name, planes in PICTURES.items():
        write(planes(folder), pictures / f"{name}.png")
    total = sum((pictures / f"{name}.png").stat().st_size for name in PICTURES)
    print(f"{len(PICTURES)} pictures in {pictures}, {total // 1000} kB")
