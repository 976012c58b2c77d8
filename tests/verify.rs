//! `mosaic-stream verify`: a sound file is found sound, and a damaged one is not: with the report of its job nothing
//! that changes a pixel or the structure is missed.

mod common;

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;

use common::{Folder, Numbers, Source, Tiff, random};
use gdal::Dataset;
use gdal::raster::RasterBand;
use mosaic_stream::run::verify::product::{Examined, Recorded, examine};

/// Two scenes of smooth noise that overlap at a corner, so that blocks are left out beside them.
fn write_scenes(folder: &Folder) {
    for (name, corner) in [("a.tif", 0.0), ("b.tif", 100.0)] {
        let value =
            move |band, x, y| (x + 3 * y + 7 * band) as i128 * 20 + i128::from(random(3, band, x, y) % 40);
        let source = Source::new(130, 110).crs("EPSG:32631").at(corner, -corner).of("UInt16").bands(3);
        source.nodata(0.0).pixels(value).write(folder.path(name));
    }
}

/// Ways to store the mosaic.
const LAYOUTS: [&str; 6] = [
    "--compress lzw --overviews 2,4",
    "--compress none --co INTERLEAVE=BAND",
    "--compress deflate --format cog --overviews 2,4",
    "--compress zstd --co BIGTIFF=YES",
    "--compress none --format cog --co BIGTIFF=YES",
    "--compress deflate --co INTERLEAVE=BAND --overviews 2 --dtype Float32",
];

/// Makes `out.tif` and its `report.json`.
fn make(folder: &Folder, options: &str) {
    let job = format!("a.tif b.tif -o out.tif --block 32 --overwrite --report report.json {options}");
    folder.run(&job).done();
}

fn look(path: &Path, recorded: Option<&Recorded>) -> Examined {
    examine(path, recorded, (1, 1 << 28), &AtomicBool::new(false)).unwrap()
}

fn told(examined: &Examined) -> Vec<String> {
    examined.faults.iter().map(|fault| format!("{}: {}", fault.place, fault.message)).collect()
}

#[test]
fn sound_files_of_every_layout_are_found_sound() {
    let folder = Folder::new();
    write_scenes(&folder);
    let masked = ["", "--format cog --overviews 2", "--compress zstd --co INTERLEAVE=BAND --overviews 2,4"];
    let hole = |x, y| x > 40 || y > 50;
    Source::new(200, 100).bands(2).value(9).internal_mask(hole).write(folder.path("masked.tif"));
    let jobs = LAYOUTS.iter().map(|options| format!("a.tif b.tif {options}"));
    for job in jobs.chain(masked.iter().map(|options| format!("masked.tif {options}"))) {
        folder.run(&format!("{job} -o out.tif --block 32 --overwrite --report report.json")).done();
        let printed = folder.run("verify out.tif --report report.json --against").done().stdout;
        assert!(printed.contains("faults      none"), "{job}: {printed}");
        let alone = look(&folder.path("out.tif"), None);
        assert!(alone.faults.is_empty() && alone.blocks > 5, "{job}: {:?}", told(&alone));
    }
}

#[test]
fn a_file_whose_header_ends_on_an_odd_byte_is_sound() {
    let folder = Folder::new();
    let source = |crs: &str| Source::new(70, 40).crs(crs).of("Int16").value(7);
    source("EPSG:32631").write(folder.path("utm.tif"));
    source("EPSG:3857").write(folder.path("web.tif"));
    let mut odd = 0;
    for job in
        ["utm.tif --nodata -32768", "utm.tif --nodata -999", "utm.tif", "web.tif", "web.tif --nodata 1"]
    {
        for layout in ["", "--overviews 2", "--format cog"] {
            folder.run(&format!("{job} {layout} -o out.tif --block 32 --overwrite")).done();
            folder.run("verify out.tif").done().prints(&["faults      none"]);
            let tiff = Tiff::of(folder.read("out.tif"));
            odd += blocks(&tiff)[0].1 % 2;
        }
    }
    assert!(odd > 0, "no header ends on an odd byte");
    // Nothing of nodata is stored: the header is the whole file.
    folder.run("utm.tif --src-nodata 7 --nodata -999 -o out.tif --overwrite").done();
    folder.run("verify out.tif").done().prints(&["faults      none"]);
}

/// Whether who looks at the file alone finds a damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Whatever it is.
    Always,
    /// Where it changes a pixel: DEFLATE has a checksum of these, and bits that mean nothing.
    InPixels,
    /// Bytes of pixels that decode to others, and values of tags that may be any.
    PerhapsNot,
}

/// Offset and size of each block of the first directory that is stored, with its place in the index.
fn blocks(tiff: &Tiff) -> Vec<(usize, usize, usize)> {
    let both = tiff.values(324).into_iter().zip(tiff.values(325));
    let all = both.enumerate().map(|(index, (offset, size))| (index, offset as usize, size as usize));
    all.filter(|&(_, _, size)| size > 0).collect()
}

/// Damages a file; says how, who sees it, and which of the image's blocks no longer holds what it did.
fn damage(tiff: &mut Tiff, numbers: &mut Numbers) -> (String, Seen, Option<usize>) {
    let (length, stored) = (tiff.bytes.len(), blocks(tiff));
    let deflate = tiff.values(259)[0] == 8;
    let (index, offset, size) = stored[numbers.below(stored.len())];
    let (other, other_offset, other_size) = stored[numbers.below(stored.len())];
    let odd = [0, 1, 8, 1 << 31, u32::MAX as usize, numbers.below(2 * length), size + 1, offset + 1];
    let odd = odd[numbers.below(odd.len())] as u64;
    match numbers.below(10) {
        0 => {
            let at = numbers.below(length);
            tiff.bytes[at] ^= 1 << numbers.below(8);
            (format!("a bit of byte {at}"), Seen::PerhapsNot, None)
        }
        1 => {
            let at = offset + numbers.below(size);
            tiff.bytes[at] ^= 1 << numbers.below(8);
            let seen = if deflate { Seen::InPixels } else { Seen::PerhapsNot };
            (format!("a bit of byte {at} in block {index}"), seen, Some(index))
        }
        2 => {
            let count = 1 + numbers.below(size.min(64));
            let at = offset + numbers.below(size - count + 1);
            (0..count).for_each(|byte| tiff.bytes[at + byte] = numbers.below(256) as u8);
            let seen = if deflate { Seen::InPixels } else { Seen::PerhapsNot };
            (format!("{count} bytes from {at} in block {index}"), seen, Some(index))
        }
        3 => {
            tiff.set(324, index, odd);
            (format!("block {index} lies at {odd}"), Seen::Always, None)
        }
        4 => {
            tiff.set(325, index, odd);
            (format!("block {index} has {odd} bytes"), Seen::Always, None)
        }
        5 => {
            let fields = tiff.fields();
            let field = fields[numbers.below(fields.len())];
            match numbers.below(3) {
                0 => tiff.set_inside(field, odd),
                1 => tiff.set_count(field, odd),
                _ => tiff.set_kind(field, numbers.below(20) as u64),
            }
            (format!("tag {} and {odd}", field.tag), Seen::PerhapsNot, None)
        }
        6 => {
            tiff.bytes.truncate(numbers.below(length));
            (format!("cut to {} bytes", tiff.bytes.len()), Seen::Always, None)
        }
        7 => {
            tiff.bytes.extend(vec![7; 1 + numbers.below(50)]);
            ("bytes behind the end".into(), Seen::Always, None)
        }
        8 => {
            let values = [
                (324, index, other_offset),
                (325, index, other_size),
                (324, other, offset),
                (325, other, size),
            ];
            values.iter().for_each(|&(tag, place, value)| tiff.set(tag, place, value as u64));
            (format!("entries of blocks {index} and {other} swapped"), Seen::Always, None)
        }
        _ => {
            let common = size.min(other_size);
            for byte in 0..common {
                tiff.bytes.swap(offset + byte, other_offset + byte);
            }
            (format!("bytes of blocks {index} and {other} swapped"), Seen::PerhapsNot, Some(index))
        }
    }
}

/// All that GDAL reads from a file: what it says of it, and all pixels of bands, masks and overviews; `None` where it
/// cannot.
fn read(path: &Path) -> Option<(String, Vec<u64>)> {
    let dataset = Dataset::open(path).ok()?;
    let mut said = format!("{:?} {}", dataset.geo_transform().ok()?, dataset.projection());
    let mut pixels = Vec::new();
    let mut take = |band: &RasterBand| {
        let mask = band.open_mask_band().ok()?;
        for part in [band, &mask] {
            let values = part.read_as::<f64>((0, 0), part.size(), part.size(), None).ok()?;
            pixels.extend(values.data().iter().map(|value| value.to_bits()));
        }
        Some(())
    };
    for number in 1..=dataset.raster_count() {
        let band = dataset.rasterband(number).ok()?;
        said += &format!("{:?} {:?} ", band.band_type(), band.no_data_value());
        take(&band)?;
        for overview in 0..band.overview_count().ok()? {
            take(&band.overview(overview as usize).ok()?)?;
        }
    }
    Some((said, pixels))
}

#[test]
fn two_hundred_damages_are_found() {
    gdal::config::set_error_handler(|_, _, _| {});
    let cases: u64 = std::env::var("DAMAGES").map_or(200, |cases| cases.parse().unwrap());
    let (mut alone, mut changed) = (0, 0);
    for (number, options) in LAYOUTS.iter().enumerate() {
        let folder = Folder::new();
        write_scenes(&folder);
        make(&folder, options);
        let (sound, path) = (folder.read("out.tif"), folder.path("out.tif"));
        let mut recorded = Recorded::read(&folder.path("report.json")).unwrap();
        let digest = recorded.sha256.clone();
        let before = read(&path).unwrap();
        for seed in (0..cases).filter(|seed| seed % LAYOUTS.len() as u64 == number as u64) {
            let mut numbers = Numbers::new(seed, 2);
            let mut tiff = Tiff::of(sound.clone());
            let (mut how, mut seen, mut block) = damage(&mut tiff, &mut numbers);
            while tiff.bytes == sound {
                (how, seen, block) = damage(&mut tiff, &mut numbers);
            }
            folder.write("out.tif", &tiff.bytes);
            let what = format!("{options}, seed {seed}: {how}");
            let pixels_change = read(&path).as_ref() != Some(&before);
            changed += u32::from(pixels_change);

            recorded.sha256.clone_from(&digest);
            let whole = look(&path, Some(&recorded));
            assert!(!whole.faults.is_empty(), "{what}: with the report nothing is found");
            // What the blocks' checksums and the structure tell without the file's own.
            recorded.sha256.clear();
            let by_blocks = look(&path, Some(&recorded));
            assert!(!pixels_change || !by_blocks.faults.is_empty(), "{what}: only the SHA-256 tells it");
            if let Some(block) = block {
                let name = format!("block {block} of the image");
                assert!(
                    told(&whole).iter().any(|fault| fault.starts_with(&name)),
                    "{what}: {:?}",
                    told(&whole)
                );
            }
            let found_alone = !look(&path, None).faults.is_empty();
            let due = seen == Seen::Always || seen == Seen::InPixels && pixels_change;
            assert!(found_alone || !due, "{what}: not found without the report");
            alone += u32::from(found_alone && pixels_change);
        }
    }
    println!(
        "of {cases} damages {changed} change what GDAL reads; {alone} of them are found without the report"
    );
    assert!(changed > 100 && u64::from(changed) < cases && alone * 2 > changed, "{changed} {alone}");
}

#[test]
fn a_damaged_block_is_named_and_ends_with_code_3() {
    let folder = Folder::new();
    write_scenes(&folder);
    make(&folder, "--compress none");
    let mut tiff = Tiff::of(folder.read("out.tif"));
    let (index, offset, size) = blocks(&tiff)[3];
    tiff.bytes[offset + size / 2] ^= 1;
    folder.write("out.tif", &tiff.bytes);
    // Any bytes are pixels where nothing is compressed: only who knows what was written can tell.
    folder.run("verify out.tif").done().prints(&["faults      none"]);
    let name = format!("block {index} of the image");
    let place = format!("{size} bytes at byte {offset}");
    let outcome = folder.run("verify out.tif --report report.json").ended(3);
    outcome.names(&[&name, &place, "checksum", "hint: ", "run the job again"]);
    let outcome = folder.run("verify out.tif --report report.json --json").ended(3);
    let printed: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(printed["fault_count"], 1, "{printed}");
    assert!(printed["faults"][0]["place"].as_str().unwrap().starts_with(&name), "{printed}");
    folder.run("verify out.tif --against a.tif b.tif --block 32").ended(3).names(&[
        "pixels differ",
        "band",
        "column",
    ]);
}

#[test]
fn pixels_are_held_against_inputs_by_the_settings_of_the_report() {
    let folder = Folder::new();
    write_scenes(&folder);
    make(&folder, "--method max --format cog");
    folder.run("verify out.tif --report report.json --against").done().prints(&["decided anew"]);
    folder.run("verify out.tif --report report.json --against b.tif a.tif").done();
    folder.run("verify out.tif --against a.tif b.tif --method max").done();
    folder
        .run("verify out.tif --report report.json --against --method min")
        .ended(3)
        .names(&["pixels differ"]);
    folder.run("verify out.tif --report report.json --against a.tif").ended(3).names(&["size"]);
    Source::new(10, 10)
        .crs("EPSG:32631")
        .at(140.0, -5.0)
        .of("UInt16")
        .bands(3)
        .nodata(0.0)
        .value(5)
        .write(folder.path("c.tif"));
    // Where no source lies the file holds nothing, and a further source has pixels there.
    folder
        .run("verify out.tif --report report.json --against a.tif b.tif c.tif")
        .ended(3)
        .names(&["pixels differ"]);
    make(&folder, "c.tif");
    folder.run("verify out.tif --against a.tif b.tif c.tif --chunk 32 --block 32").done();
    // Nor is a window left out that has no source.
    folder
        .run("verify out.tif --against a.tif b.tif --chunk 32 --block 32")
        .ended(3)
        .names(&["pixels differ"]);
    folder.run("verify out.tif --report report.json --against gone.tif").ended(1).names(&["gone.tif"]);
    folder.run("verify out.tif --method max").ended(2).names(&["--against"]);
}

#[test]
fn a_job_whose_list_came_from_stdin_is_held_against_what_its_report_names() {
    let folder = Folder::new();
    write_scenes(&folder);
    let make = |list: &str, options: &str| {
        let words = format!("- -o out.tif --block 32 --overwrite --report report.json {options}");
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut child = folder.command(&words).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    make("a.tif\nb.tif\n", "--method max");
    folder.run("verify out.tif --report report.json --against").done().prints(&["decided anew"]);
    folder
        .run("verify out.tif --report report.json --against --method min")
        .ended(3)
        .names(&["pixels differ"]);
    // Inputs that are typed go before.
    folder.run("verify out.tif --report report.json --against a.tif").ended(3).names(&["size"]);
    std::fs::copy(folder.path("a.tif"), folder.path("2024-06-01.tif")).unwrap();
    std::fs::copy(folder.path("b.tif"), folder.path("2024-06-11.tif")).unwrap();
    make("2024-06-01.tif\n2024-06-11.tif\n", "--method newest");
    let outcome = folder.run("verify out.tif --report report.json --against").ended(1);
    outcome.names(&["--against", "stdin", "scenes", "hint"]);
}

#[test]
fn a_file_of_another_job_is_not_the_reports() {
    let folder = Folder::new();
    write_scenes(&folder);
    make(&folder, "--compress lzw --overviews 2");
    folder
        .run("a.tif b.tif -o out.tif --overwrite --compress zstd --block 64 --nodata 7 --dtype Int32")
        .done();
    let outcome = folder.run("verify out.tif --report report.json").ended(3);
    let outcome = outcome.names(&["tag 259", "tags 322", "overview", "nodata", "type", "report"]);
    assert!(!outcome.stderr.contains("panicked"), "{}", outcome.stderr);
}

#[test]
fn what_cannot_be_read_ends_with_code_1_and_what_is_no_mosaic_with_3() {
    let folder = Folder::new();
    write_scenes(&folder);
    make(&folder, "");
    folder.run("verify gone.tif").ended(1).names(&["gone.tif"]);
    folder.write("text.tif", "no raster at all");
    folder.run("verify text.tif").ended(3).names(&["header", "neither II nor MM"]);
    folder.run("verify out.tif --report text.tif").ended(1).names(&["text.tif", "no report"]);
    let newer =
        String::from_utf8(folder.read("report.json")).unwrap().replacen("\"schema\": 1", "\"schema\": 9", 1);
    folder.write("newer.json", newer);
    folder.run("verify out.tif --report newer.json").ended(1).names(&["newer.json", "schema 9"]);
    folder.run("verify").ended(2);
}
