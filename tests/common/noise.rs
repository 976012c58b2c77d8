//! Noise that several test files share: numbers to draw from, and sources made of it.

use super::{Folder, Source, random};

/// Numbers that look random and are the same on every run.
pub struct Numbers {
    /// What they come from.
    pub seed: u64,
    stream: usize,
    asked: usize,
}

impl Numbers {
    /// Those of a seed; another stream has others.
    pub fn new(seed: u64, stream: usize) -> Numbers {
        Numbers { seed, stream, asked: 0 }
    }

    /// The next number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.asked += 1;
        (random(self.seed, self.stream, self.asked, 0) % end.max(1) as u64) as usize
    }

    /// One of these.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Four sources of noise that overlap, `in0.tif` to `in3.tif`, with nodata, or with masks instead.
pub fn write_overlapping(folder: &Folder, mask: bool) {
    let places = [(0.0, 0.0), (250.0, 30.0), (20.0, -260.0), (270.0, -250.0)];
    for (number, (x, y)) in places.into_iter().enumerate() {
        let value = move |band, x, y| i128::from(1 + random(number as u64, band, x / 3, y) % 200);
        let source = Source::new(300, 300).bands(3).at(x, y).pixels(value);
        let source = match mask {
            true => source.internal_mask(move |x, y| !random(9, number, x / 40, y / 40).is_multiple_of(4)),
            false => source.nodata(7.0),
        };
        let options = "TILED=YES BLOCKXSIZE=64 BLOCKYSIZE=64 COMPRESS=DEFLATE INTERLEAVE=PIXEL";
        source.options(options).write(folder.path(format!("in{number}.tif")));
    }
}
