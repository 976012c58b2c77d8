//! A buffer of pixels whose type is known only when the program runs.

use super::{Pixel, PixelType};

/// Pixels of one type, in whatever order its user says.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)]
pub enum Buffer {
    Byte(Vec<u8>),
    Int8(Vec<i8>),
    UInt16(Vec<u16>),
    Int16(Vec<i16>),
    UInt32(Vec<u32>),
    Int32(Vec<i32>),
    UInt64(Vec<u64>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
}

/// Runs an expression with the type parameter `$T` bound to the number type of a [`PixelType`]: the one place
/// where pixel types are told apart.
#[macro_export]
macro_rules! dispatch_pixel_type {
    ($pixel_type:expr, $T:ident => $body:expr) => {
        match $pixel_type {
            $crate::pixels::PixelType::Byte => {
                type $T = u8;
                $body
            }
            $crate::pixels::PixelType::Int8 => {
                type $T = i8;
                $body
            }
            $crate::pixels::PixelType::UInt16 => {
                type $T = u16;
                $body
            }
            $crate::pixels::PixelType::Int16 => {
                type $T = i16;
                $body
            }
            $crate::pixels::PixelType::UInt32 => {
                type $T = u32;
                $body
            }
            $crate::pixels::PixelType::Int32 => {
                type $T = i32;
                $body
            }
            $crate::pixels::PixelType::UInt64 => {
                type $T = u64;
                $body
            }
            $crate::pixels::PixelType::Int64 => {
                type $T = i64;
                $body
            }
            $crate::pixels::PixelType::Float32 => {
                type $T = f32;
                $body
            }
            $crate::pixels::PixelType::Float64 => {
                type $T = f64;
                $body
            }
        }
    };
}

/// Runs an expression with `$pixels` bound to the typed vector inside a [`Buffer`].
macro_rules! with_pixels {
    ($buffer:expr, $pixels:ident => $body:expr) => {
        match $buffer {
            Buffer::Byte($pixels) => $body,
            Buffer::Int8($pixels) => $body,
            Buffer::UInt16($pixels) => $body,
            Buffer::Int16($pixels) => $body,
            Buffer::UInt32($pixels) => $body,
            Buffer::Int32($pixels) => $body,
            Buffer::UInt64($pixels) => $body,
            Buffer::Int64($pixels) => $body,
            Buffer::Float32($pixels) => $body,
            Buffer::Float64($pixels) => $body,
        }
    };
}

impl Buffer {
    /// `count` pixels of value zero.
    pub fn zeros(pixel_type: PixelType, count: usize) -> Buffer {
        match pixel_type {
            PixelType::Byte => Buffer::Byte(vec![0; count]),
            PixelType::Int8 => Buffer::Int8(vec![0; count]),
            PixelType::UInt16 => Buffer::UInt16(vec![0; count]),
            PixelType::Int16 => Buffer::Int16(vec![0; count]),
            PixelType::UInt32 => Buffer::UInt32(vec![0; count]),
            PixelType::Int32 => Buffer::Int32(vec![0; count]),
            PixelType::UInt64 => Buffer::UInt64(vec![0; count]),
            PixelType::Int64 => Buffer::Int64(vec![0; count]),
            PixelType::Float32 => Buffer::Float32(vec![0.0; count]),
            PixelType::Float64 => Buffer::Float64(vec![0.0; count]),
        }
    }

    /// The type of the pixels.
    pub fn pixel_type(&self) -> PixelType {
        fn of<T: Pixel>(_: &[T]) -> PixelType {
            T::TYPE
        }
        with_pixels!(self, pixels => of(pixels))
    }

    /// Number of pixels.
    pub fn len(&self) -> usize {
        with_pixels!(self, pixels => pixels.len())
    }

    /// Whether there is no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes it `count` pixels long, keeping its memory; new pixels are zero, old ones stay.
    pub fn resize(&mut self, count: usize) {
        with_pixels!(self, pixels => pixels.resize(count, bytemuck::Zeroable::zeroed()))
    }

    /// The pixels as bytes, in the machine's byte order.
    pub fn bytes(&self) -> &[u8] {
        with_pixels!(self, pixels => bytemuck::cast_slice(pixels))
    }

    /// The pixels as bytes that may be written, in the machine's byte order.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        with_pixels!(self, pixels => bytemuck::cast_slice_mut(pixels))
    }

    /// The pixels as numbers of type `T`.
    ///
    /// # Panics
    /// When `T` is not the buffer's type: a fault of the program, never of its input.
    pub fn pixels<T: Pixel>(&self) -> &[T] {
        assert_eq!(T::TYPE, self.pixel_type());
        bytemuck::cast_slice(self.bytes())
    }

    /// The pixels as numbers of type `T` that may be written; panics as [`Buffer::pixels`] does.
    pub fn pixels_mut<T: Pixel>(&mut self) -> &mut [T] {
        assert_eq!(T::TYPE, self.pixel_type());
        bytemuck::cast_slice_mut(self.bytes_mut())
    }
}
