//! Documents that lie beside the bands of a scene.

use super::details::Details;
use super::sentinel2::{self, Offsets};
use super::{document, landsat};
use crate::source::{Problem, text};

/// No document about a scene is longer; a name that leads to something else must not fill the memory.
const LONGEST: usize = 16 << 20;

/// Where documents about a file's scene lie: in the root of its product, or in its own folder.
pub fn place(file: &str) -> &str {
    sentinel2::root_of(file).unwrap_or_else(|| document::own_folder(file))
}

/// What documents in a folder tell of the scene whose bands lie there.
///
/// # Errors
/// There is one that cannot be read.
pub fn documents(folder: &str) -> Result<(Details, Option<Offsets>), Problem> {
    // Folders of the network are not listed for documents: few servers can.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path().to_string_lossy().into_owned();
        let name = document::file_name(&path);
        if sentinel2::is_document(name) {
            let (details, offsets) = read_sentinel2(&path)?;
            return Ok((details, Some(offsets)));
        } else if landsat::is_document(name) {
            let text =
                text::read(&path, LONGEST).map_err(|error| Problem::new(&path, format!("{error:#}")))?;
            return Ok((landsat::parse(&text), None));
        }
    }
    Ok(Default::default())
}

/// What the document about a product of Sentinel-2 tells.
///
/// # Errors
/// It cannot be read.
pub fn read_sentinel2(path: &str) -> Result<(Details, Offsets), Problem> {
    let parsed = text::read(path, LONGEST).and_then(|text| sentinel2::parse(&text));
    parsed.map_err(|error| Problem::new(path, format!("{error:#}")))
}
