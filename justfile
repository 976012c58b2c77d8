# Every recipe is one script or one cargo call, so that none of them needs `just`.

# List the recipes.
default:
    @just --list

# Install what the build and the tests need (Debian, Ubuntu).
setup:
    scripts/setup

# Make scenes, mosaic them, check and draw the result in ./demo; `just demo --large` for the large ones.
demo *options:
    scripts/demo {{options}}

# Follow docs/compositing.md in ./tutorial and draw its pictures; `just tutorial --check` draws none.
tutorial *options:
    scripts/tutorial {{options}}

# Masked median of a folder of Sentinel-2 scenes: `just composite scenes june.tif --mask-buffer 40`; `--dry-run` for the plan.
composite folder out *options:
    cargo run --release --bin mosaic-stream -- {{folder}} -o {{out}} --bands B04,B03,B02,B08 --mask-band SCL --mask-values 0,1,3,8-11 --method median {{options}}

# Draw a small PNG of a raster: `just look june.tif june.png`.
look raster png *options:
    cargo run --release --example quicklook -- {{raster}} {{png}} {{options}}

# Run every test.
test *options:
    scripts/test {{options}}

# Format, clippy, documentation (warnings are errors), tests, and the dependencies' licences.
check: lint test deny

# Format, clippy and documentation alone.
lint:
    scripts/lint

# Licences and sources of the dependencies, if cargo-deny is installed.
deny:
    scripts/deny

# Known faults of the dependencies; fetches the list of them.
advisories:
    cargo deny check advisories

# Run every fuzz target: `just fuzz 10 stac` for ten minutes of one.
fuzz *options:
    scripts/fuzz {{options}}

# Try many orders of the workers' steps on the queue of windows: `just model 100000` for so many of each case.
model orders="400":
    QUEUE_MODEL_ORDERS={{orders}} cargo test --test queue_model

# Run the library's tests and some of whole jobs under the address sanitizer; `just sanitize source::` for those of a name.
sanitize *options:
    scripts/sanitize {{options}}

# Time the kernels (criterion).
bench *options:
    cargo bench {{options}}

# Time whole jobs against every peer that is there, in pairs; `just bench-peers --jobs mosaic` for one job.
bench-peers *options:
    scripts/bench-peers {{options}}

# Time composites alone: medians within a budget, many dates, simple rules, medoids and geometric medians.
bench-composites *options:
    scripts/bench-peers --jobs median,deep,simple,medoid,geomedian {{options}}

# Measure peak memory for a range of budgets and shapes.
memory *options:
    scripts/measure-memory {{options}}

# Measure what more threads bring, and how much of the time is work on pixels.
threads *options:
    scripts/measure-threads {{options}}

# Run jobs of a hundred thousand windows and see whether memory grows.
soak *options:
    scripts/soak {{options}}

# Measure what promises cost: entries of the part, verification, child processes.
promises *options:
    scripts/measure-promises {{options}}

# Write the newest figures into docs/reliability.md.
reliability *options:
    scripts/reliability {{options}}

# Compare mosaics of real rasters with gdalbuildvrt + gdal_translate, pixel for pixel.
real-data *options:
    scripts/check-real-data {{options}}

# Check every rule for composites against numpy; `just statistics median` for one.
statistics *options:
    scripts/check-statistics {{options}}

# Install the program for this user.
install:
    cargo install --path . --locked
