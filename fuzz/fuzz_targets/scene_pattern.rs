//! Any text is a pattern of scenes or is refused in words; it loses no file and makes no scene of none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mosaic_stream::source::scenes::pattern::{self, Content};

fuzz_target!(|input: (&str, Vec<&str>)| {
    let (expression, names) = input;
    let names: Vec<String> = names.into_iter().take(20).map(str::to_owned).collect();
    let mut notices = Vec::new();
    match pattern::group(expression, names.clone(), &mut notices) {
        Ok(scenes) => {
            assert!(!scenes.is_empty());
            let mut grouped = 0;
            for scene in scenes {
                let Content::Files { files, .. } = scene.content else { panic!("{expression}: no files") };
                assert!(!files.is_empty() && files.iter().all(|named| names.contains(&named.file)));
                grouped += files.len();
            }
            // What is named twice is one file, and what does not fit is told.
            assert!(grouped <= names.len());
            let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
            assert!(grouped >= distinct.len() || !notices.is_empty());
        }
        Err(problems) => {
            assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.message.is_empty()));
        }
    }
});
