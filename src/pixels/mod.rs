//! Pixels as typed numbers: types and their promotion, buffers, the rules that decide a pixel from several,
//! the making of smaller levels, and formulas over bands.

mod buffer;
mod composite;
mod downsample;
mod expression;
mod interleave;
mod mask_rule;
mod method;
mod number;
mod pixel;
mod pixel_type;
mod stack;
mod sum;

pub use buffer::Buffer;
pub use composite::{BandRule, Composite, Layer};
pub use downsample::{Area, Axis, Downsample, OverviewResampling, Tile, Validity};
pub use expression::{Bounds, Evaluator, Formula, Precision, Present, Program, Real, find_band};
pub use interleave::{gather_block, is_filled_with, pack_mask, pad_block};
pub use mask_rule::MaskRule;
pub(crate) use method::named_values;
pub use method::{Method, Resampling};
pub use number::Number;
pub use pixel::Pixel;
pub use pixel_type::PixelType;
pub use stack::{Decision, Rule, Side, Stack};
pub use sum::Sum;
