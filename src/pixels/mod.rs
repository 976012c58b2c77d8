//! Pixels as typed numbers: types and their promotion, buffers, and the rules that decide a pixel from several.

mod buffer;
mod method;
mod number;
mod pixel;
mod pixel_type;

pub use buffer::Buffer;
pub(crate) use method::named_values;
pub use method::{Method, Resampling};
pub use number::Number;
pub use pixel::Pixel;
pub use pixel_type::PixelType;
