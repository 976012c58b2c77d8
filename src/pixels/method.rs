//! How overlaps are decided and how pixels between pixels are made, by name.

use std::fmt;
use std::str::FromStr;

macro_rules! named_values {
    ($(#[$doc:meta])* $Name:ident, $what:literal { $($(#[$value_doc:meta])* $Value:ident => $name:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $Name { $($(#[$value_doc])* $Value),+ }

        impl $Name {
            /// Every value, in the order in which help lists them.
            pub const ALL: &'static [$Name] = &[$($Name::$Value),+];

            /// The name a user types.
            pub const fn name(self) -> &'static str {
                match self { $($Name::$Value => $name),+ }
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.name())
            }
        }

        impl FromStr for $Name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().copied().find(|value| value.name() == text);
                found.ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|value| value.name()).collect();
                    format!("'{text}' is no {}; known are {}", $what, known.join(", "))
                })
            }
        }
    };
}
pub(crate) use named_values;

named_values! {
    /// How one pixel is decided from the sources that have data there.
    Method, "method" {
        /// The source named last, as GDAL stacks them.
        Last => "last",
        /// The source named first.
        First => "first",
        /// The smallest value.
        Min => "min",
        /// The largest value.
        Max => "max",
        /// The mean; whole types round half to even.
        Mean => "mean",
        /// The sum.
        Sum => "sum",
        /// How many sources have data.
        Count => "count",
    }
}

impl Method {
    /// Whether the order of the sources can change the result.
    pub const fn depends_on_order(self) -> bool {
        matches!(self, Method::First | Method::Last)
    }
}

named_values! {
    /// How GDAL makes pixels of a source that is not on the mosaic's grid.
    Resampling, "resampling" {
        /// The nearest pixel.
        Nearest => "nearest",
        /// Weighted mean of 2×2 pixels.
        Bilinear => "bilinear",
        /// Cubic convolution of 4×4 pixels.
        Cubic => "cubic",
        /// B-spline of 4×4 pixels.
        CubicSpline => "cubicspline",
        /// Lanczos kernel of 6×6 pixels.
        Lanczos => "lanczos",
        /// Mean of the pixels below.
        Average => "average",
        /// Most frequent of the pixels below.
        Mode => "mode",
    }
}
