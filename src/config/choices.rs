//! Settings that are one of a few names.

use crate::pixels::named_values;
use std::fmt;
use std::str::FromStr;

named_values! {
    /// What an input with a problem does to the job.
    OnError, "way to treat a problem" {
        /// The job fails before anything is written.
        Fail => "fail",
        /// The input is left out and listed.
        Skip => "skip",
    }
}

named_values! {
    /// How the written file is checked.
    Verify, "verification" {
        /// Structure, checksums, a sample of windows.
        Quick => "quick",
        /// Every block and every window.
        Full => "full",
        /// Not at all.
        None => "none",
    }
}

named_values! {
    /// What kind of GeoTIFF is written.
    Format, "format" {
        /// A GeoTIFF.
        Gtiff => "gtiff",
        /// A cloud optimized GeoTIFF.
        Cog => "cog",
    }
}
