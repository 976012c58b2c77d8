//! What parent and child tell each other through pipes: CBOR items one behind the other (RFC 8949), pixels behind the
//! answer that announces them.

use std::io::{self, BufRead, Read, Write};
use std::ops::Range;
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::geometry::Window;
use crate::plan::Plan;
use crate::source::{Inspected, Problem, sharing};

/// The first thing a child hears; what it means is known only where both are the same program.
pub fn greeting() -> String {
    format!("mosaic-stream {} with GDAL {}", env!("CARGO_PKG_VERSION"), crate::source::gdal_version())
}

/// What a child is for. `M` is the [`crate::source::Mosaic`], or who tells it a reference to one.
#[derive(Serialize, Deserialize)]
pub enum Setup<M> {
    /// It inspects inputs.
    Inspect(Looking),
    /// It decides pixels.
    Make(Box<Making<M>>),
}

/// Everything that a child has to know to inspect inputs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Looking {
    /// Whether inputs may refer to the network.
    pub remote: bool,
    /// Folders with files that any input may refer to.
    pub roots: Vec<PathBuf>,
    /// How often servers are asked again for what they did not give.
    pub retries: u32,
    /// Bytes that it may take.
    pub bytes: u64,
}

/// Everything that a child has to know to decide pixels: nothing is inspected or decided a second time.
#[derive(Serialize, Deserialize)]
pub struct Making<M> {
    /// What is made.
    pub mosaic: M,
    /// How it is cut, with the caches of one child.
    pub plan: Plan,
    /// Side of a block.
    pub block: usize,
    /// Whether a block that cannot be decoded directly is left to GDAL to judge.
    pub ask_gdal: bool,
    /// How often servers are asked again for what they did not give.
    pub retries: u32,
    /// Sources (by index) that are not read.
    pub left_out: Vec<usize>,
    /// Bytes that the plan has for what the child does.
    pub bytes: u64,
}

/// What a child is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Inspect an input.
    Inspect {
        /// Its name.
        name: String,
        /// The CRS of the mosaic, as WKT.
        target: Option<String>,
    },
    /// Begin the window of this job; not answered.
    Begin {
        /// The job's number.
        job: usize,
        /// The bands that are made first.
        bands: Range<usize>,
    },
    /// Decide bands of an area of the window.
    Decide {
        /// The area.
        area: Window,
        /// Which bands.
        bands: Range<usize>,
    },
    /// Copy a block out of the one source that covers it.
    TakeBlock {
        /// The block's pixels.
        block: Window,
        /// Which bands.
        bands: Range<usize>,
        /// One pixel, as it stands beyond the mosaic's edge.
        fill: Vec<u8>,
        /// Bytes of the block.
        bytes: usize,
    },
    /// The window is done; not answered.
    Leave,
    /// Decide an area a second time, and compare it with the file.
    Verify {
        /// The written file.
        file: String,
        /// The area.
        area: Window,
        /// The sources that touch it.
        sources: Vec<usize>,
    },
}

/// What a child says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// It has understood its setup, and its memory is limited: bytes that it may take beside what it has.
    Ready(u64),
    /// What an input is, or what is wrong with it; and the most bytes that the child had in memory until now.
    Inspected(Box<Result<Inspected, Problem>>, u64),
    /// It is about to read this source.
    Reading(String),
    /// Pixels and what tells where there are any follow, so many bytes of each.
    Decided(Done, usize, usize),
    /// The block's bytes follow, or it could not be copied.
    Block(Done, bool),
    /// The first difference, if there is any.
    Verified(Done, Option<String>),
    /// A source cannot be read, or something else is wrong: the child ends.
    Failed(String),
    /// There was no memory left below the ceiling: the child ends.
    Exhausted(String),
}

/// What was done since the last answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Done {
    /// Nanoseconds spent reading sources.
    pub read: u64,
    /// Nanoseconds spent compositing.
    pub composite: u64,
    /// Pixels of one band read from sources.
    pub samples_read: u64,
    /// Blocks of sources decoded without GDAL.
    pub blocks_decoded: u64,
    /// What GDAL warned of.
    pub warnings: Vec<String>,
    /// The most bytes that the child had in memory at once, until now.
    pub peak: u64,
}

/// Tells something.
///
/// # Errors
/// When the other end is closed.
pub fn tell(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    use ciborium::ser::Error;
    let told = sharing::one_message(|| ciborium::into_writer(message, &mut *to));
    told.map_err(|error| match error {
        Error::Io(error) => error,
        Error::Value(message) => io::Error::new(io::ErrorKind::InvalidData, message),
    })?;
    to.flush()
}

/// Hears the next message.
///
/// # Errors
/// When the other end is closed, or something else comes.
pub fn hear<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    use ciborium::de::Error;
    let heard = sharing::one_message(|| ciborium::from_reader(&mut *from));
    heard.map_err(|error| match error {
        Error::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    })
}

/// The next message, if another comes before the other end is closed.
///
/// # Errors
/// As [`hear`].
pub fn hear_next<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    if from.fill_buf()?.is_empty() { Ok(None) } else { hear(from).map(Some) }
}
