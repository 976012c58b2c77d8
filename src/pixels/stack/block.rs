//! So many pixels of all scenes at once as fit the nearest cache, those without data marked.

use super::super::Number;
use super::Stack;
use super::sample::Sample;

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
    /// Scenes of the stack × bands: the value that means "no data".
    nodata: Vec<Option<T>>,
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
            nodata: stack.nodata.iter().map(|nodata| nodata.and_then(Number::to_pixel)).collect(),
            values: vec![[T::zeroed(); LANES]; bands * depth],
            marks: vec![[0; LANES]; bands * depth],
            counts: vec![[0; LANES]; bands],
        }
    }

    /// Bytes of a block.
    pub const fn bytes(sample_bytes: usize, bands: usize, depth: usize) -> usize {
        bands * depth * (LANES * (sample_bytes + 1) + 16) + 4 * (bands * LANES + depth)
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
    #[inline(always)]
    pub fn is_full(&self, band: usize) -> bool {
        self.counts[band].iter().fold(u32::MAX, |least, &count| least.min(count)) == self.depth() as u32
    }

    /// Takes the pixels from `start` on; where bands are decided together, without those that lack one.
    #[inline(always)]
    pub fn load(&mut self, stack: &Stack, values: &[T], start: usize, together: bool) {
        let pixels = stack.pixels();
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
            let seen = padded(seen(scene as usize));
            for band in 0..stack.bands {
                let plane = scene as usize * stack.bands + band;
                let source = padded(&values[plane * pixels + start..][..self.width]);
                let place = band * depth + index;
                take(&source, &seen, self.nodata[plane], &mut self.values[place], &mut self.marks[place]);
            }
        }
        if together {
            self.keep_whole_scenes(stack.bands);
        }
        for band in 0..stack.bands {
            self.counts[band] = count(&self.marks[band * depth..][..depth]);
        }
    }

    /// Forgets where a scene has no data in some band.
    #[inline(always)]
    fn keep_whole_scenes(&mut self, bands: usize) {
        let depth = self.depth();
        for scene in 0..depth {
            let mut all = self.marks[scene];
            for band in 1..bands {
                let marks = &self.marks[band * depth + scene];
                all.iter_mut().zip(marks).for_each(|(all, mark)| *all &= mark);
            }
            for band in 0..bands {
                self.marks[band * depth + scene] = all;
            }
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

/// Copies values that are data, and marks them.
#[inline(always)]
fn take<T: Sample>(
    source: &Lanes<T>,
    seen: &Lanes<u8>,
    nodata: Option<T>,
    values: &mut Lanes<T>,
    marks: &mut Lanes<u8>,
) {
    for lane in 0..LANES {
        marks[lane] = u8::from(seen[lane] != 0);
    }
    match nodata {
        Some(nodata) => drop_marks(source, marks, |value| value != nodata && !value.is_nan()),
        None if T::TYPE.is_float() => drop_marks(source, marks, |value| !value.is_nan()),
        None => (),
    }
    *values = *source;
    if marks.iter().fold(1, |all, &mark| all & mark) == 0 {
        for lane in 0..LANES {
            values[lane] = if marks[lane] != 0 { source[lane] } else { T::zeroed() };
        }
    }
}

#[inline(always)]
fn drop_marks<T: Sample>(source: &Lanes<T>, marks: &mut Lanes<u8>, has_data: impl Fn(T) -> bool) {
    for lane in 0..LANES {
        marks[lane] &= u8::from(has_data(source[lane]));
    }
}

/// How many marks each lane has.
#[inline(always)]
pub(super) fn count(marks: &[Lanes<u8>]) -> Lanes<u32> {
    let mut counts = [0; LANES];
    // So few at a time that their sum is a byte.
    for few in marks.chunks(255) {
        let mut sums = [0u8; LANES];
        for marks in few {
            sums.iter_mut().zip(marks).for_each(|(sum, mark)| *sum += mark);
        }
        counts.iter_mut().zip(sums).for_each(|(count, sum)| *count += u32::from(sum));
    }
    counts
}
