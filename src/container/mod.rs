//! The TIFF container as plain types.
