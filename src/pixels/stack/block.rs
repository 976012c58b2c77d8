//! So many pixels of all scenes at once as fit the nearest cache, those without data marked.

use super::sample::{Sample, Stored};
use super::wide::widest;
use super::{Rule, Stack};

/// Pixels that are decided at once: so few that dozens of scenes stay in the nearest cache, so many that each step
/// of a kernel fills several vectors.
pub(super) const LANES: usize = 64;

/// One value of each pixel of a block.
pub(super) type Lanes<T> = [T; LANES];

/// Of each lane what `value` says; a plain loop, of which the compiler makes vectors.
#[inline(always)]
pub(super) fn lanes<T: Copy + Default, const N: usize>(value: impl Fn(usize) -> T) -> [T; N] {
    let mut lanes = [T::default(); N];
    for (lane, slot) in lanes.iter_mut().enumerate() {
        *slot = value(lane);
    }
    lanes
}

/// Pixels of the scenes that are seen there.
pub(super) struct Block<T> {
    /// The scenes' numbers within the stack, in its order.
    pub scenes: Vec<u32>,
    /// Index of the first pixel within the stack, and how many there are.
    pub start: usize,
    pub width: usize,
    /// Bands × scenes; zero where there are no data.
    values: Vec<Lanes<T>>,
    /// Bands × scenes; 1 where there are data.
    marks: Vec<Lanes<u8>>,
    /// Of each band how many scenes have data.
    counts: Vec<Lanes<u32>>,
}

impl<T: Sample> Block<T> {
    /// A block without pixels, with room for those of all scenes of a stack.
    pub fn new(stack: &Stack) -> Block<T> {
        let (bands, depth) = (stack.bands, stack.depth());
        Block {
            scenes: Vec::with_capacity(depth),
            start: 0,
            width: 0,
            values: vec![[T::default(); LANES]; bands * depth],
            marks: vec![[0; LANES]; bands * depth],
            counts: vec![[0; LANES]; bands],
        }
    }

    /// Bytes of a block whose samples take that many.
    pub const fn bytes(sample_bytes: usize, bands: usize, depth: usize) -> usize {
        bands * depth * LANES * (sample_bytes + 1) + 4 * (bands * LANES + depth)
    }

    /// How many scenes are seen here.
    pub fn depth(&self) -> usize {
        self.scenes.len()
    }

    /// Of each scene the values of a band.
    pub fn values(&self, band: usize) -> &[Lanes<T>] {
        &self.values[band * self.depth()..][..self.depth()]
    }

    /// Of each scene where a band has data.
    pub fn marks(&self, band: usize) -> &[Lanes<u8>] {
        &self.marks[band * self.depth()..][..self.depth()]
    }

    /// How many scenes have data in a band.
    pub fn counts(&self, band: usize) -> &Lanes<u32> {
        &self.counts[band]
    }

    /// Whether all scenes have data in a band everywhere.
    pub fn is_full(&self, band: usize) -> bool {
        self.counts[band].iter().fold(u32::MAX, |least, &count| least.min(count)) == self.depth() as u32
    }

    /// Takes the pixels from `start` on; where bands are decided together, without those that lack one, and for the
    /// geometric median without those that are infinite in one. `nodata` holds scenes × bands of the stack: the value
    /// that means "no data".
    pub fn load<S: Stored<Sample = T>>(
        &mut self,
        stack: &Stack,
        nodata: &[Option<S>],
        start: usize,
        rule: Rule,
    ) {
        let (pixels, values) = (stack.pixels(), stack.values.pixels::<S>());
        (self.start, self.width) = (start, LANES.min(pixels - start));
        let seen = |scene: usize| &stack.seen[scene * pixels + start..][..self.width];
        self.scenes.clear();
        for scene in 0..stack.depth() {
            if seen(scene).iter().fold(0, |any, &seen| any | seen) != 0 {
                self.scenes.push(scene as u32);
            }
        }
        let depth = self.scenes.len();
        for (index, &scene) in self.scenes.iter().enumerate() {
            let seen = seen(scene as usize);
            for band in 0..stack.bands {
                let plane = scene as usize * stack.bands + band;
                let source = &values[plane * pixels + start..][..self.width];
                let place = band * depth + index;
                let (values, marks) = (&mut self.values[place], &mut self.marks[place]);
                take_plane(source, seen, nodata[plane], values, marks);
                if S::TYPE.is_float() && rule == Rule::GeometricMedian {
                    keep_finite(values, marks);
                }
            }
        }
        if rule.is_together() {
            keep_whole_scenes(&mut self.marks[..stack.bands * depth], depth);
        }
        for band in 0..stack.bands {
            count(&self.marks[band * depth..][..depth], &mut self.counts[band]);
        }
    }
}

/// As many values as there are lanes, zeros behind those given.
#[inline(always)]
pub(super) fn padded<T: bytemuck::Pod>(values: &[T]) -> Lanes<T> {
    match values.try_into() {
        Ok(lanes) => lanes,
        Err(_) => {
            let mut lanes = [T::zeroed(); LANES];
            lanes[..values.len()].copy_from_slice(values);
            lanes
        }
    }
}

widest! {
    /// Copies the values of a band of a scene that are data, and marks them.
    fn take_plane<S: Stored>(
        source: &[S],
        seen: &[u8],
        nodata: Option<S>,
        values: &mut Lanes<S::Sample>,
        marks: &mut Lanes<u8>,
    ) {
        let (source, seen) = (&padded(source), &padded(seen));
        match nodata {
            Some(nodata) => take(source, seen, |value| value != nodata && !value.is_nan(), values, marks),
            None if S::TYPE.is_float() => take(source, seen, |value| !value.is_nan(), values, marks),
            None => take(source, seen, |_| true, values, marks),
        }
    }

    /// Takes infinities for no data.
    fn keep_finite<T: Sample>(values: &Lanes<T>, marks: &mut Lanes<u8>) {
        for lane in 0..LANES {
            marks[lane] &= u8::from(values[lane].to_f64().is_finite());
        }
    }

    /// Forgets where a scene has no data in some band. The marks are bands × scenes.
    fn keep_whole_scenes(marks: &mut [Lanes<u8>], depth: usize) {
        for scene in 0..depth {
            let mut all = marks[scene];
            for marks in marks[scene..].iter().step_by(depth) {
                all.iter_mut().zip(marks).for_each(|(all, mark)| *all &= mark);
            }
            marks[scene..].iter_mut().step_by(depth).for_each(|marks| *marks = all);
        }
    }

    /// How many marks each lane has.
    fn count(marks: &[Lanes<u8>], counts: &mut Lanes<u32>) {
        *counts = [0; LANES];
        // So few at a time that their sum is a byte.
        for few in marks.chunks(255) {
            let mut sums = [0u8; LANES];
            for marks in few {
                sums.iter_mut().zip(marks).for_each(|(sum, mark)| *sum += mark);
            }
            counts.iter_mut().zip(sums).for_each(|(count, sum)| *count += u32::from(sum));
        }
    }
}

#[inline(always)]
fn take<S: Stored>(
    source: &Lanes<S>,
    seen: &Lanes<u8>,
    has_data: impl Fn(S) -> bool,
    values: &mut Lanes<S::Sample>,
    marks: &mut Lanes<u8>,
) {
    for lane in 0..LANES {
        marks[lane] = u8::from(seen[lane] != 0) & u8::from(has_data(source[lane]));
    }
    for lane in 0..LANES {
        let value = source[lane].to_sample();
        values[lane] = if marks[lane] != 0 { value } else { S::Sample::default() };
    }
}
