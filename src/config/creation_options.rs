//! Creation options of GDAL's GTiff driver, as far as they can be honoured; the rest is refused by name.
//!
//! Names and values: <https://gdal.org/en/stable/drivers/raster/gtiff.html#creation-options>.

use super::Problem;
use crate::codec::Compression;
use crate::pixels::named_values;
use std::fmt;
use std::str::FromStr;

named_values! {
    /// Whether file offsets have 64 bits.
    BigTiff, "value of BIGTIFF" {
        /// Always.
        Yes => "YES",
        /// Never; a larger file is an error.
        No => "NO",
        /// When the file could not be written otherwise.
        IfNeeded => "IF_NEEDED",
        /// When the file might become too large.
        IfSafer => "IF_SAFER",
    }
}

named_values! {
    /// How the bands of a pixel are stored.
    Interleave, "value of INTERLEAVE" {
        /// All bands of a pixel side by side.
        Pixel => "PIXEL",
        /// Every band in blocks of its own.
        Band => "BAND",
    }
}

/// Creation options with their meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreationOptions {
    /// `COMPRESS`.
    pub compression: Option<Compression>,
    /// `PREDICTOR`: 1, 2 or 3.
    pub predictor: Option<u8>,
    /// `BLOCKXSIZE` and `BLOCKYSIZE`, which must be equal.
    pub block: Option<usize>,
    /// `ZLEVEL` (1 to 12).
    pub deflate_level: Option<i32>,
    /// `ZSTD_LEVEL` (1 to 22).
    pub zstd_level: Option<i32>,
    /// `BIGTIFF`.
    pub bigtiff: Option<BigTiff>,
    /// `INTERLEAVE`.
    pub interleave: Option<Interleave>,
    /// What GDAL gets as it is, because it concerns the header alone.
    pub passed_on: Vec<(String, String)>,
}

/// What is merged into settings of their own.
pub(super) const MERGED: [&str; 4] = ["COMPRESS", "PREDICTOR", "BLOCKXSIZE", "BLOCKYSIZE"];

/// What GDAL gets as it is, with the values that are known to be safe (none listed: any).
const PASSED_ON: [(&str, &[&str]); 3] = [
    ("PROFILE", &["GDALGEOTIFF", "GEOTIFF", "BASELINE"]),
    ("GEOTIFF_KEYS_FLAVOR", &["STANDARD", "ESRI_PE"]),
    ("GEOTIFF_VERSION", &["AUTO", "1.0", "1.1"]),
];

const HONOURED: &str = "COMPRESS, PREDICTOR, ZLEVEL, ZSTD_LEVEL, BIGTIFF, INTERLEAVE, BLOCKXSIZE, BLOCKYSIZE, \
     TILED, SPARSE_OK, PROFILE, GEOTIFF_KEYS_FLAVOR and GEOTIFF_VERSION can be honoured";

impl CreationOptions {
    /// The meaning of options with upper-case keys.
    ///
    /// # Errors
    /// Everything that cannot be honoured, all at once.
    pub fn parse(options: &[(String, String)]) -> Result<CreationOptions, Vec<Problem>> {
        let mut parsed = CreationOptions::default();
        let mut problems = Vec::new();
        for (index, (key, value)) in options.iter().enumerate() {
            let before = options[..index].iter().find(|(other, _)| other == key);
            match before {
                Some((_, other)) if other == value => {}
                Some((_, other)) => {
                    problems.push(Problem::new(format!("{key} is given twice: {other} and {value}")));
                }
                None => problems.extend(parsed.take(key, value).err()),
            }
        }
        if let Err(problem) = parsed.take_block(options) {
            problems.push(problem);
        }
        if problems.is_empty() { Ok(parsed) } else { Err(problems) }
    }

    /// The level for a compression, when one was asked for.
    pub fn level(&self, compression: Compression) -> Option<i32> {
        match compression {
            Compression::Deflate => self.deflate_level,
            Compression::Zstd => self.zstd_level,
            Compression::None | Compression::Lzw => None,
        }
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        let upper = value.to_ascii_uppercase();
        match key {
            "COMPRESS" => self.compression = Some(value.to_ascii_lowercase().parse()?),
            "PREDICTOR" => self.predictor = Some(within(key, value, 1, 3)? as u8),
            "ZLEVEL" => self.deflate_level = Some(within(key, value, 1, 12)?),
            "ZSTD_LEVEL" => self.zstd_level = Some(within(key, value, 1, 22)?),
            "BIGTIFF" => self.bigtiff = Some(upper.parse()?),
            "INTERLEAVE" => self.interleave = Some(upper.parse()?),
            "BLOCKXSIZE" | "BLOCKYSIZE" => {}
            "TILED" | "SPARSE_OK" if matches!(&*upper, "YES" | "TRUE" | "ON" | "1") => {}
            "TILED" => {
                return Err(format!("TILED={value} cannot be honoured: the output is always tiled").into());
            }
            "SPARSE_OK" => {
                let why = "blocks that no source touches are always left out";
                return Err(format!("SPARSE_OK={value} cannot be honoured: {why}").into());
            }
            "NUM_THREADS" => {
                let problem =
                    Problem::new("NUM_THREADS cannot be honoured: blocks are not compressed by GDAL");
                return Err(problem.hint("use --threads N"));
            }
            _ => self.pass_on(key, &upper)?,
        }
        Ok(())
    }

    fn pass_on(&mut self, key: &str, value: &str) -> Result<(), Problem> {
        let Some((_, values)) = PASSED_ON.iter().find(|(name, _)| *name == key) else {
            return Err(Problem::new(format!("creation option {key} cannot be honoured")).hint(HONOURED));
        };
        if !values.contains(&value) {
            let known = values.join(", ");
            return Err(format!("{key}={value} cannot be honoured; {key} can be {known}").into());
        }
        self.passed_on.push((key.to_owned(), value.to_owned()));
        Ok(())
    }

    fn take_block(&mut self, options: &[(String, String)]) -> Result<(), Problem> {
        let side = |name| options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let (Some(x), Some(y)) = (side("BLOCKXSIZE"), side("BLOCKYSIZE")) else {
            let one = side("BLOCKXSIZE").or(side("BLOCKYSIZE"));
            let alone =
                |value| format!("a block of {value} one way only cannot be honoured: blocks are square");
            return one.map_or(Ok(()), |value| Err(Problem::new(alone(value)).hint("use --block PX")));
        };
        match (x.parse::<usize>(), y.parse::<usize>()) {
            (Ok(x), Ok(y)) if x == y => self.block = Some(x),
            (Ok(_), Ok(_)) => {
                let problem =
                    Problem::new(format!("blocks of {x}×{y} cannot be honoured: blocks are square"));
                return Err(problem.hint("use --block PX"));
            }
            _ => return Err(format!("BLOCKXSIZE={x}, BLOCKYSIZE={y} are no whole numbers").into()),
        }
        Ok(())
    }
}

fn within(key: &str, value: &str, least: i32, most: i32) -> Result<i32, Problem> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("{key}={value}: a whole number from {least} to {most} is wanted").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<CreationOptions, Vec<Problem>> {
        let pairs = texts.iter().map(|text| text.split_once('=').unwrap());
        CreationOptions::parse(&pairs.map(|(key, value)| (key.into(), value.into())).collect::<Vec<_>>())
    }

    #[test]
    fn what_can_be_honoured_is_understood() {
        let texts = ["COMPRESS=ZSTD", "ZSTD_LEVEL=9", "BIGTIFF=if_safer", "INTERLEAVE=BAND", "TILED=YES"];
        let options = parse(&texts).unwrap();
        assert_eq!(options.compression, Some(Compression::Zstd));
        assert_eq!(options.level(Compression::Zstd), Some(9));
        assert_eq!(options.level(Compression::Deflate), None);
        assert_eq!(options.bigtiff, Some(BigTiff::IfSafer));
        assert_eq!(options.interleave, Some(Interleave::Band));
        assert!(options.passed_on.is_empty());

        let options =
            parse(&["BLOCKXSIZE=256", "BLOCKYSIZE=256", "PROFILE=geotiff", "PROFILE=geotiff"]).unwrap();
        assert_eq!(options.block, Some(256));
        assert_eq!(options.passed_on, [("PROFILE".to_owned(), "GEOTIFF".to_owned())]);
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name_all_at_once() {
        let texts = ["JPEG_QUALITY=90", "NUM_THREADS=4", "BLOCKXSIZE=512", "TILED=NO", "PHOTOMETRIC=RGB"];
        let problems = parse(&texts).unwrap_err();
        assert_eq!(problems.len(), 5);
        for name in ["JPEG_QUALITY", "NUM_THREADS", "square", "TILED=NO", "PHOTOMETRIC"] {
            assert!(problems.iter().any(|problem| problem.message.contains(name)), "{name}");
        }
        assert!(problems[1].hint.as_deref().unwrap().contains("--threads"));
        for wrong in
            ["ZLEVEL=0", "ZSTD_LEVEL=23", "PREDICTOR=4", "COMPRESS=JPEG", "BIGTIFF=maybe", "SPARSE_OK=NO"]
        {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
        assert!(parse(&["BIGTIFF=YES", "BIGTIFF=NO"]).is_err());
    }
}
