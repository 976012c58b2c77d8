//! What the mosaic is made of.

mod folder;
pub mod names;
