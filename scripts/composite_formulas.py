"""Medoids and geometric medians by numpy, many pixels at once: what the program is timed and checked against.

Values are dates × bands × pixels; `clear` (dates × pixels) tells which dates take part. What is computed has the
values' type, and sums are made in the order of the dates.
"""
import numpy

# Pixels that are done are left out after so many steps each: to copy the others takes about as long as a step.
EVERY = 4
MOST_STEPS = 200


def medoid(values, clear):
    """The values (bands × pixels) of the date with the least sum of distances; 0 where no date has data."""
    sums = numpy.zeros(clear.shape, values.dtype)
    for one in range(len(values)):
        for other in range(one + 1, len(values)):
            squares = numpy.zeros(clear.shape[1], values.dtype)
            for band in range(values.shape[1]):
                squares += numpy.square(values[one, band] - values[other, band])
            distances = numpy.sqrt(squares) * (clear[one] & clear[other])
            sums[one] += distances
            sums[other] += distances
    chosen = numpy.where(clear, sums, numpy.inf).argmin(axis=0)
    found = numpy.take_along_axis(values, chosen[None, None, :], axis=0)[0]
    return found * clear.any(axis=0)


def geometric_median(values, clear, unit=1 / 512, most_steps=MOST_STEPS):
    """The points (bands × pixels) of the least sum of distances; 0 where no date has data.

    Pixels are done after a step that is shorter than `unit`, or than a millionth of their dates' mean distance (in
    Float64 a billionth).
    """
    small = values.dtype.type(1e-6 if values.dtype == numpy.float32 else 1e-9)
    found = numpy.zeros(values.shape[1:], values.dtype)
    open_pixels = numpy.flatnonzero(clear.any(axis=0))
    weights = clear[:, open_pixels].astype(values.dtype)
    counts = weights.sum(axis=0)
    values = values[:, :, open_pixels]
    # Small numbers have more digits.
    centre = numpy.rint((values * weights[:, None]).sum(axis=0) / counts)
    values = values - centre
    points = (values * weights[:, None]).sum(axis=0) / counts
    short = None
    for number in range(most_steps):
        points, length, spread = step(values, weights, points)
        if short is None:
            short = numpy.maximum(values.dtype.type(unit), small * spread / counts)
        if number % EVERY != EVERY - 1:
            continue
        going = length > short
        found[:, open_pixels[~going]] = (points + centre)[:, ~going]
        open_pixels, centre, points, short = open_pixels[going], centre[:, going], points[:, going], short[going]
        values, weights = values[:, :, going], weights[:, going]
        if not len(open_pixels):
            break
    found[:, open_pixels] = points + centre
    return found


def step(values, weights, points):
    """The points after a step, the step's length, and the sum of the distances before it."""
    away = values - points
    distances = numpy.sqrt(numpy.square(away).sum(axis=1))
    apart = distances > 0
    reciprocals = numpy.divide(weights, distances, out=numpy.zeros_like(distances), where=apart)
    pull = numpy.einsum("dp,dbp->bp", reciprocals, away)
    total, at_point = reciprocals.sum(axis=0), (weights * ~apart).sum(axis=0)
    size = numpy.sqrt(numpy.square(pull).sum(axis=0))
    held = 1 - numpy.divide(at_point, size, out=numpy.full_like(size, numpy.inf), where=size > 0)
    factor = numpy.divide(numpy.maximum(held, 0), total, out=numpy.zeros_like(total), where=total > 0)
    return points + factor * pull, factor * size, (weights * distances).sum(axis=0)
