//! Results of any rule, and how they become pixels of any type.

use bytemuck::Zeroable;

use super::super::{Buffer, Number, Pixel};
use super::block::{LANES, Lanes};
use super::wide::widest;
use crate::dispatch_pixel_type;

/// A result that has not been rounded yet.
pub(super) trait Outcome: Copy + Send + Default {
    fn of(value: f64) -> Self;
    fn is_nan(self) -> bool;
    /// The nearest pixel: whole types round half to even and clamp.
    fn to_pixel<O: Pixel>(self) -> O;
}

impl Outcome for f64 {
    #[inline(always)]
    fn of(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }

    #[inline(always)]
    fn to_pixel<O: Pixel>(self) -> O {
        O::from_f64(self)
    }
}

/// A number that 64-bit whole numbers, their sums and means are exact in: a whole one and what lies above it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Exact {
    pub whole: i128,
    /// From 0 to 1.
    pub fraction: f64,
}

impl Outcome for Exact {
    #[inline(always)]
    fn of(value: f64) -> Exact {
        Exact { whole: value.floor() as i128, fraction: value - value.floor() }
    }

    #[inline(always)]
    fn is_nan(self) -> bool {
        self.fraction.is_nan()
    }

    #[inline(always)]
    fn to_pixel<O: Pixel>(self) -> O {
        if O::TYPE.is_float() {
            return O::from_f64(self.whole as f64 + self.fraction);
        }
        let up = self.fraction > 0.5 || (self.fraction == 0.5 && self.whole & 1 != 0);
        O::from_i128(self.whole + i128::from(up))
    }
}

/// The results of one band in one block.
#[derive(Clone, Copy)]
pub(super) struct Results<R> {
    pub outcomes: Lanes<R>,
    /// 1 where there is one.
    pub decided: Lanes<u8>,
}

impl<R: Outcome> Results<R> {
    pub fn none() -> Self {
        Results { outcomes: [R::default(); LANES], decided: [0; LANES] }
    }

    /// Tells which outcomes count: those of so many scenes at least that are numbers.
    pub fn settle(&mut self, counts: &Lanes<u32>, least: u32) {
        settle(&self.outcomes, counts, least.max(1), &mut self.decided);
    }

    /// Writes the first `width` pixels into `pixels` from index `start`, the background where nothing is decided.
    pub fn write(&self, background: Number, pixels: &mut Buffer, start: usize, width: usize) {
        dispatch_pixel_type!(pixels.pixel_type(), O => {
            let background = background.to_pixel::<O>().unwrap_or(O::zeroed());
            write(self, background, &mut pixels.pixels_mut::<O>()[start..][..width]);
        });
    }
}

widest! {
    fn settle<R: Outcome>(outcomes: &Lanes<R>, counts: &Lanes<u32>, least: u32, decided: &mut Lanes<u8>) {
        for lane in 0..LANES {
            decided[lane] = u8::from(counts[lane] >= least) & u8::from(!outcomes[lane].is_nan());
        }
    }

    fn write<R: Outcome, O: Pixel>(results: &Results<R>, background: O, pixels: &mut [O]) {
        let mut nearest = [background; LANES];
        for (lane, nearest) in nearest.iter_mut().enumerate() {
            let pixel = results.outcomes[lane].to_pixel();
            *nearest = if results.decided[lane] != 0 { pixel } else { background };
        }
        pixels.copy_from_slice(&nearest[..pixels.len()]);
    }
}
