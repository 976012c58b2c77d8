//! The rules that decide one pixel from several sources, band by band, over one window.
//!
//! A window's layers are added one after the other; the state of a rule is as large as the window, however many
//! layers there are. `last` is `first` with the layers added from the top down, so that a window whose pixels are
//! all decided needs no further layer.

use super::{Buffer, Method, Number, Pixel, PixelType, Sum};
use crate::dispatch_pixel_type;
use crate::geometry::{Size, Window};
use bytemuck::Zeroable;

/// One source's pixels within a window.
pub struct Layer<'a> {
    /// Where they lie, relative to the window's upper-left pixel.
    pub place: Window,
    /// The pixels: bands × rows × columns of `place`.
    pub pixels: &'a Buffer,
    /// For each band the value that means "no data".
    pub nodata: &'a [Option<Number>],
    /// Rows × columns of `place`; zero where the source has no data in any band.
    pub mask: Option<&'a [u8]>,
}

/// How one band is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BandRule {
    /// By the method asked for.
    Method(Method),
    /// Transparency: of the pixel chosen, or for statistics the most opaque of all.
    Alpha(Method),
}

impl BandRule {
    fn method(self) -> Method {
        match self {
            BandRule::Method(method) => method,
            BandRule::Alpha(Method::First | Method::Last) => Method::First,
            BandRule::Alpha(_) => Method::Max,
        }
    }
}

/// The state of a window that is being composited.
pub struct Composite {
    size: Size,
    bands: Vec<Box<dyn Band>>,
    valid_row: Vec<u8>,
}

impl Composite {
    /// An empty window of `size`, whose layers have pixels of `pixel_type`, with one rule a band.
    pub fn new(pixel_type: PixelType, rules: &[BandRule], size: Size) -> Composite {
        let bands = rules.iter().map(|rule| new_band(pixel_type, rule.method(), size.pixels())).collect();
        Composite { size, bands, valid_row: Vec::new() }
    }

    /// Forgets all layers, for a window of `size`; keeps its memory.
    pub fn reset(&mut self, size: Size) {
        self.size = size;
        self.bands.iter_mut().for_each(|band| band.reset(size.pixels()));
    }

    /// Bytes that the state of one pixel of one band takes.
    pub const fn bytes_per_pixel(pixel_type: PixelType, method: Method) -> usize {
        match method {
            Method::Count => 4,
            Method::Sum | Method::Mean => {
                4 + if matches!(pixel_type, PixelType::UInt64 | PixelType::Int64) { 16 } else { 8 }
            }
            _ => pixel_type.bytes() + 1,
        }
    }

    /// Adds a layer. For `first` and `last` the layers on top come first.
    ///
    /// # Panics
    /// When the layer's pixels are of another type or number than its place says.
    pub fn add(&mut self, layer: &Layer) {
        let place = layer.place;
        assert_eq!(layer.pixels.len(), place.pixels() * self.bands.len());
        self.valid_row.resize(place.columns, 0);
        for (index, band) in self.bands.iter_mut().enumerate() {
            for row in 0..place.rows {
                let span = row * place.columns..(row + 1) * place.columns;
                let source = index * place.pixels() + span.start;
                let mask = layer.mask.map(|mask| &mask[span]);
                let target = (place.row + row) * self.size.columns + place.column;
                let nodata = layer.nodata.get(index).copied().flatten();
                band.add_row(layer.pixels, source, nodata, mask, target, &mut self.valid_row);
            }
        }
    }

    /// Whether no further layer can change a pixel.
    pub fn is_settled(&self) -> bool {
        self.bands.iter().all(|band| band.is_settled())
    }

    /// Writes the decided pixels of all bands (bands × rows × columns) into `pixels`, `background` where no source
    /// has data, and into `valid` (rows × columns) 1 where any band has data. Says whether any pixel has.
    pub fn finish(&self, background: &[Number], pixels: &mut Buffer, valid: &mut [u8]) -> bool {
        valid.fill(0);
        for (index, band) in self.bands.iter().enumerate() {
            band.finish(background[index], pixels, index * self.size.pixels(), valid);
        }
        valid.iter().any(|&v| v != 0)
    }
}

/// One band's state, its pixel type hidden.
trait Band: Send {
    /// Adds one row: pixels of the layer from index `source`, into the state from index `target`.
    /// `valid` is scratch of the row's length.
    fn add_row(
        &mut self,
        pixels: &Buffer,
        source: usize,
        nodata: Option<Number>,
        mask: Option<&[u8]>,
        target: usize,
        valid: &mut [u8],
    );

    fn is_settled(&self) -> bool {
        false
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]);

    fn reset(&mut self, count: usize);
}

/// So many zeros, in memory that is there already.
fn clear<T: Zeroable + Copy>(values: &mut Vec<T>, count: usize) {
    values.clear();
    values.resize(count, T::zeroed());
}

fn new_band(pixel_type: PixelType, method: Method, count: usize) -> Box<dyn Band> {
    fn typed<T: Pixel>(method: Method, count: usize) -> Box<dyn Band> {
        let selected = || (vec![T::zeroed(); count], vec![0; count]);
        match method {
            Method::First | Method::Last => {
                let (values, valid) = selected();
                Box::new(First { values, valid, open: count })
            }
            Method::Min | Method::Max => {
                let (values, valid) = selected();
                Box::new(Extreme { values, valid, largest: method == Method::Max })
            }
            Method::Mean | Method::Sum => Box::new(Total::<T> {
                sums: vec![bytemuck::Zeroable::zeroed(); count],
                counts: vec![0; count],
                mean: method == Method::Mean,
            }),
            Method::Count => Box::new(Count::<T> { counts: vec![0; count], of: Default::default() }),
        }
    }
    dispatch_pixel_type!(pixel_type, T => typed::<T>(method, count))
}

/// Marks in `valid` which pixels of a row have data. NaN counts as data only for the rules that choose a source.
fn mark_valid<T: Pixel>(
    row: &[T],
    nodata: Option<Number>,
    mask: Option<&[u8]>,
    keep_nan: bool,
    valid: &mut [u8],
) {
    match nodata.and_then(Number::to_pixel::<T>) {
        Some(nodata) if nodata.is_nan() => mark(row, valid, |v| !v.is_nan()),
        Some(nodata) if keep_nan => mark(row, valid, |v| v != nodata),
        Some(nodata) => mark(row, valid, |v| v != nodata && !v.is_nan()),
        None if keep_nan || !T::TYPE.is_float() => valid.fill(1),
        None => mark(row, valid, |v| !v.is_nan()),
    }
    if let Some(mask) = mask {
        valid.iter_mut().zip(mask).for_each(|(valid, &mask)| *valid &= u8::from(mask != 0));
    }
}

fn mark<T: Pixel>(row: &[T], valid: &mut [u8], has_data: impl Fn(T) -> bool) {
    valid.iter_mut().zip(row).for_each(|(valid, &value)| *valid = u8::from(has_data(value)));
}

/// The first layer that has data keeps the pixel.
struct First<T> {
    values: Vec<T>,
    valid: Vec<u8>,
    /// Pixels that no layer has decided yet.
    open: usize,
}

impl<T: Pixel> Band for First<T> {
    fn add_row(
        &mut self,
        pixels: &Buffer,
        source: usize,
        nodata: Option<Number>,
        mask: Option<&[u8]>,
        target: usize,
        valid: &mut [u8],
    ) {
        if self.open == 0 {
            return;
        }
        let row = &pixels.pixels::<T>()[source..][..valid.len()];
        mark_valid(row, nodata, mask, true, valid);
        let decided = &mut self.valid[target..][..valid.len()];
        let mut taken = 0;
        for (valid, decided) in valid.iter_mut().zip(decided) {
            *valid &= *decided ^ 1;
            *decided |= *valid;
            taken += usize::from(*valid);
        }
        self.open -= taken;
        let values = &mut self.values[target..][..valid.len()];
        if taken == row.len() {
            values.copy_from_slice(row);
            return;
        }
        for ((value, &new), &take) in values.iter_mut().zip(row).zip(valid.iter()) {
            *value = if take != 0 { new } else { *value };
        }
    }

    fn is_settled(&self) -> bool {
        self.open == 0
    }

    fn reset(&mut self, count: usize) {
        // Values are looked at only where they are valid.
        self.values.resize(count, T::zeroed());
        clear(&mut self.valid, count);
        self.open = count;
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        finish_selection(&self.values, &self.valid, background, pixels, start, valid);
    }
}

/// The smallest or the largest value keeps the pixel.
struct Extreme<T> {
    values: Vec<T>,
    valid: Vec<u8>,
    largest: bool,
}

impl<T: Pixel> Band for Extreme<T> {
    fn add_row(
        &mut self,
        pixels: &Buffer,
        source: usize,
        nodata: Option<Number>,
        mask: Option<&[u8]>,
        target: usize,
        valid: &mut [u8],
    ) {
        let row = &pixels.pixels::<T>()[source..][..valid.len()];
        mark_valid(row, nodata, mask, false, valid);
        let values = &mut self.values[target..][..valid.len()];
        let decided = &mut self.valid[target..][..valid.len()];
        let largest = self.largest;
        for (((value, &new), &valid), decided) in values.iter_mut().zip(row).zip(valid.iter()).zip(decided) {
            let better = if largest { new > *value } else { new < *value };
            let take = valid != 0 && (*decided == 0 || better);
            *value = if take { new } else { *value };
            *decided |= valid;
        }
    }

    fn reset(&mut self, count: usize) {
        self.values.resize(count, T::zeroed());
        clear(&mut self.valid, count);
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        finish_selection(&self.values, &self.valid, background, pixels, start, valid);
    }
}

/// Sums and counts, for the sum and the mean.
struct Total<T: Pixel> {
    sums: Vec<T::Sum>,
    counts: Vec<u32>,
    mean: bool,
}

impl<T: Pixel> Band for Total<T> {
    fn add_row(
        &mut self,
        pixels: &Buffer,
        source: usize,
        nodata: Option<Number>,
        mask: Option<&[u8]>,
        target: usize,
        valid: &mut [u8],
    ) {
        let row = &pixels.pixels::<T>()[source..][..valid.len()];
        mark_valid(row, nodata, mask, false, valid);
        let sums = &mut self.sums[target..][..valid.len()];
        let counts = &mut self.counts[target..][..valid.len()];
        for (((sum, &new), &valid), count) in sums.iter_mut().zip(row).zip(valid.iter()).zip(counts) {
            *sum = if valid != 0 { sum.plus(new.to_sum()) } else { *sum };
            *count += u32::from(valid);
        }
    }

    fn reset(&mut self, count: usize) {
        clear(&mut self.sums, count);
        clear(&mut self.counts, count);
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        fn typed<S: Sum, O: Pixel>(
            sums: &[S],
            counts: &[u32],
            mean: bool,
            background: Number,
            pixels: &mut [O],
            valid: &mut [u8],
        ) {
            let background = background.to_pixel().unwrap_or(O::zeroed());
            for (((pixel, &sum), &count), valid) in pixels.iter_mut().zip(sums).zip(counts).zip(valid) {
                *valid |= u8::from(count != 0);
                *pixel = match (count, mean) {
                    (0, _) => background,
                    (_, true) => sum.mean(count),
                    (_, false) => sum.to_pixel(),
                };
            }
        }
        let count = self.sums.len();
        dispatch_pixel_type!(pixels.pixel_type(), O => {
            let pixels = &mut pixels.pixels_mut::<O>()[start..][..count];
            typed::<T::Sum, O>(&self.sums, &self.counts, self.mean, background, pixels, valid);
        });
    }
}

/// How many layers have data.
struct Count<T> {
    counts: Vec<u32>,
    of: std::marker::PhantomData<T>,
}

impl<T: Pixel> Band for Count<T> {
    fn add_row(
        &mut self,
        pixels: &Buffer,
        source: usize,
        nodata: Option<Number>,
        mask: Option<&[u8]>,
        target: usize,
        valid: &mut [u8],
    ) {
        mark_valid(&pixels.pixels::<T>()[source..][..valid.len()], nodata, mask, false, valid);
        let counts = &mut self.counts[target..][..valid.len()];
        counts.iter_mut().zip(valid).for_each(|(count, valid)| *count += u32::from(*valid));
    }

    fn reset(&mut self, count: usize) {
        clear(&mut self.counts, count);
    }

    fn finish(&self, background: Number, pixels: &mut Buffer, start: usize, valid: &mut [u8]) {
        let seen: Vec<u8> = self.counts.iter().map(|&count| u8::from(count != 0)).collect();
        finish_selection(&self.counts, &seen, background, pixels, start, valid);
    }
}

/// Writes chosen values as pixels of the output's type: rounded half to even, clamped, NaN to the background.
fn finish_selection<T: Pixel>(
    values: &[T],
    decided: &[u8],
    background: Number,
    pixels: &mut Buffer,
    start: usize,
    valid: &mut [u8],
) {
    fn typed<T: Pixel, O: Pixel>(
        values: &[T],
        decided: &[u8],
        background: O,
        pixels: &mut [O],
        valid: &mut [u8],
    ) {
        for (((pixel, &value), &decided), valid) in pixels.iter_mut().zip(values).zip(decided).zip(valid) {
            let has_value = decided != 0 && (O::TYPE.is_float() || !value.is_nan());
            *valid |= u8::from(has_value);
            *pixel = if has_value { convert(value) } else { background };
        }
    }
    dispatch_pixel_type!(pixels.pixel_type(), O => {
        let background = background.to_pixel::<O>().unwrap_or(bytemuck::Zeroable::zeroed());
        let pixels = &mut pixels.pixels_mut::<O>()[start..][..values.len()];
        typed::<T, O>(values, decided, background, pixels, valid);
    });
}

/// The nearest value of another type.
fn convert<T: Pixel, O: Pixel>(value: T) -> O {
    if T::TYPE == O::TYPE {
        bytemuck::cast(value)
    } else if T::TYPE.is_float() {
        O::from_f64(value.to_f64())
    } else {
        O::from_i128(value.to_i128())
    }
}
