//! Any text is a document of STAC items or is refused in words, and nothing that is picked of it leads out of its
//! folder.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::source::Trust;
use mosaic_stream::source::scenes::stac;

const FOLDER: &str = "/no-such-folder/";

fuzz_target!(|text: &str| {
    let base = format!("{FOLDER}items.json");
    let Ok((items, problems)) = stac::parse(text, &base, Trust::default()) else { return };
    assert!(problems.iter().all(|problem| !problem.message.is_empty()));
    for item in items {
        if let Some(cloud) = item.details.cloud {
            assert!((0.0..=100.0).contains(&cloud));
        }
        for key in item.assets.keys().into_iter().chain(["red", "B04", "B04:2"].map(str::to_owned)) {
            // One band: to count those of a file it would have to be opened.
            let Ok(picked) = item.assets.pick(&key, true, Trust::default()) else { continue };
            assert!(!picked.is_empty());
            for band in picked {
                let inside = band.source.file.strip_prefix(FOLDER).expect("a file below the document");
                let depth = inside.split('/').try_fold(0_i32, |depth, part| match part {
                    "" | "." => Some(depth),
                    ".." => depth.checked_sub(1).filter(|depth| *depth >= 0),
                    _ => Some(depth + 1),
                });
                assert!(depth.is_some() && band.source.band > 0, "{inside}");
                assert!(band.offset.is_none_or(f64::is_finite));
            }
        }
    }
});
