//! What `--help` shows below the flags.

/// Commands from simple to rich, where settings come from, and the exit codes.
pub(super) const EXAMPLES: &str = "\
Examples:
  Mosaic every scene of a folder, the last one on top:
    mosaic-stream scenes/ -o mosaic.tif

  Windows of 1024 pixels, at most 2 GiB of memory, ZSTD blocks:
    mosaic-stream *.tif -o mosaic.tif --chunk 1024 --memory 2GiB --compress zstd --co ZSTD_LEVEL=9

  The mean of overlaps, warped to one CRS and pixel size, cut to bounds:
    mosaic-stream 'tiles/**/*.jp2' -o mosaic.tif --method mean --crs EPSG:32633 \\
        --resolution 10 --bounds 300000,5790000,410000,5900000 --resampling bilinear

  Red, green and blue of a list of files on stdin, with nodata set right:
    find . -name '*.tif' | mosaic-stream - -o rgb.tif --bands 3,2,1 --src-nodata -9999 --nodata 0

  The median of a summer's clear pixels, by Sentinel-2's scene classification:
    mosaic-stream products/ -o summer.tif --bands B04,B03,B02 --method median --from 2024-06-01 --to 2024-08-31 \\
        --mask-band SCL --mask-values 0,1,3,8-11 --mask-buffer 60

  The greenest pixel of each place, its vegetation index, and the day it was seen:
    mosaic-stream products/ -o green.tif --method 'best:max:(B08-B04)/(B08+B04)' \\
        --expr 'ndvi=(B08-B04)/(B08+B04)' --date-band

  What would be done, and where each setting comes from:
    mosaic-stream scenes/ -o mosaic.tif --dry-run -v

  Go on with a job that was killed, or remove what it left:
    mosaic-stream scenes/ -o mosaic.tif --resume
    mosaic-stream clean mosaic.tif

  How rasters are stored, and in which order they are best read:
    mosaic-stream inspect scenes/

  Whether a mosaic is still what its job left, and whether its inputs still give the same:
    mosaic-stream verify mosaic.tif --report report.json --against

Every flag can also be set in the environment (MOSAIC_STREAM_MEMORY=4GiB, MOSAIC_STREAM_OVERWRITE=true) \
and in a TOML file (memory = \"4GiB\"); flags go before the environment, and that before the file.

A file whose name is that of a subcommand is reached as ./inspect, ./verify, ./clean, ./completions.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verification found faults, 130 interrupted, 137 memory exhausted.";
