//! Bands that no source has: formulas over what was decided, and what is told of each pixel beside its value.

use chrono::NaiveDate;

use crate::dispatch_pixel_type;
use crate::pixels::{Buffer, Evaluator, Number, Pixel, PixelType, Present, Side};
use crate::source::{Beside, Compiled, Derived, Mosaic, MosaicBand, Stacked};

/// The memory in which a worker derives bands.
pub struct DerivedBands {
    /// What was decided: bands × pixels.
    pub decided: Buffer,
    present: Vec<u8>,
    evaluator: Evaluator,
    results: Buffer,
    valid: Vec<u8>,
}

impl DerivedBands {
    /// For a mosaic with derived bands.
    pub fn new(mosaic: &Mosaic, derived: &Derived) -> DerivedBands {
        DerivedBands {
            decided: Buffer::zeros(derived.pixel_type, 0),
            present: Vec::new(),
            evaluator: Evaluator::default(),
            results: Buffer::zeros(mosaic.pixel_type, 0),
            valid: Vec::new(),
        }
    }

    /// Bytes of a pixel, whatever is decided apart.
    pub fn bytes_per_pixel(mosaic: &Mosaic) -> usize {
        let of = |derived: &Derived| {
            let decided = derived.bands.len() * (derived.pixel_type.bytes() + 1);
            let results = mosaic.bands.len() * (mosaic.pixel_type.bytes() + 1);
            let side = if derived.beside.is_empty() { 0 } else { Side::BYTES_PER_PIXEL + 4 };
            decided + results + side
        };
        mosaic.derived.as_ref().map_or(0, of)
    }

    /// Makes all bands of the mosaic, bands × pixels, of what was decided; `valid` tells where that has data, then
    /// where the mosaic has.
    pub fn derive(
        &mut self,
        (mosaic, derived): (&Mosaic, &Derived),
        told: Option<(&Side, &[usize])>,
        pixels: &mut Buffer,
        valid: &mut [u8],
    ) {
        let count = valid.len();
        let results = mosaic.bands.len() - derived.beside.len();
        match &derived.formulas {
            None => {
                dispatch_pixel_type!(pixels.pixel_type(), T => {
                    pixels.pixels_mut::<T>()[..results * count].copy_from_slice(self.decided.pixels::<T>());
                });
            }
            Some(Compiled { program, .. }) => {
                mark_present(&self.decided, &mut self.present);
                self.results.resize(results * count);
                self.valid.resize(results * count, 0);
                let present = Present::Bands(&self.present);
                self.evaluator.run(program, &self.decided, present, &mut self.results, &mut self.valid);
                dispatch_pixel_type!(pixels.pixel_type(), T => {
                    let to = &mut pixels.pixels_mut::<T>()[..results * count];
                    to.copy_from_slice(self.results.pixels::<T>());
                    fill_background(to, &mosaic.bands, &self.valid, valid);
                });
            }
        }
        let (Some((side, scenes)), Some(stack)) = (told, &mosaic.stack) else { return };
        for (index, beside) in (results..).zip(&derived.beside) {
            let background = mosaic.bands[index].background;
            dispatch_pixel_type!(pixels.pixel_type(), T => {
                let plane = &mut pixels.pixels_mut::<T>()[index * count..][..count];
                tell(*beside, (side, scenes, stack), background, valid, plane);
            });
        }
    }
}

/// Where decided pixels, of floats, are numbers.
fn mark_present(decided: &Buffer, present: &mut Vec<u8>) {
    present.clear();
    match decided.pixel_type() {
        PixelType::Float32 => {
            present.extend(decided.pixels::<f32>().iter().map(|value| u8::from(!value.is_nan())))
        }
        _ => present.extend(decided.pixels::<f64>().iter().map(|value| u8::from(!value.is_nan()))),
    }
}

/// Puts each band's background where it has no result; `any` becomes 1 where any band has one.
fn fill_background<T: Pixel>(pixels: &mut [T], bands: &[MosaicBand], valid: &[u8], any: &mut [u8]) {
    let count = any.len();
    any.fill(0);
    for ((plane, valid), band) in pixels.chunks_exact_mut(count).zip(valid.chunks_exact(count)).zip(bands) {
        let background = band.background.to_pixel::<T>().unwrap_or(T::from_i128(0));
        for ((pixel, &valid), any) in plane.iter_mut().zip(valid).zip(any.iter_mut()) {
            *any |= valid;
            *pixel = if valid == 0 { background } else { *pixel };
        }
    }
}

/// Writes what is told beside; `scenes` are the numbers of the scenes in the stack.
fn tell<T: Pixel>(
    beside: Beside,
    (side, scenes, stack): (&Side, &[usize], &Stacked),
    background: Number,
    valid: &[u8],
    plane: &mut [T],
) {
    let background = background.to_pixel::<T>().unwrap_or(T::from_i128(0));
    let told = |number: Option<i64>| number.map_or(background, |number| T::from_i128(number.into()));
    let winner = |index: usize| scenes.get(side.winner[index] as usize).copied();
    let days: Vec<Option<i64>> = scenes.iter().map(|&scene| stack.scenes[scene].date.map(days)).collect();
    for (index, pixel) in plane.iter_mut().enumerate() {
        let number = match beside {
            _ if valid[index] == 0 => None,
            Beside::Count => Some(side.count[index].into()),
            Beside::Provenance => winner(index).map(|scene| scene as i64 + 1),
            Beside::Date => days.get(side.winner[index] as usize).copied().flatten(),
        };
        *pixel = told(number);
    }
}

/// Days since 1 January 1970.
fn days(date: NaiveDate) -> i64 {
    (date - NaiveDate::default()).num_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let of = |text: &str| days(text.parse().unwrap());
        assert_eq!((of("1970-01-01"), of("2024-06-02"), of("1969-12-31")), (0, 19_876, -1));
    }
}
