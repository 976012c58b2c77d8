//! What the mosaic is made of.

pub mod names;
