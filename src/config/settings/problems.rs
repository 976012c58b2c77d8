//! What is wrong with settings as they are, without looking at any file.

use super::Settings;
use crate::codec::Compression;
use crate::config::{Format, Interleave, Problem, expressions};
use crate::geometry::{Bounds, ResolutionRule};

/// Problems, each with the key (as in the settings file; `input` for the inputs) at fault.
type Found = Vec<(&'static str, Problem)>;

fn problem(message: impl Into<String>, hint: Option<&str>) -> Problem {
    Problem { message: message.into(), hint: hint.map(str::to_owned) }
}

impl Settings {
    /// Everything that is wrong with the settings as they are, without looking at any file, each with the key (as
    /// in the settings file; `input` for the inputs) at fault.
    pub fn problems(&self) -> Vec<(&'static str, Problem)> {
        let parts = [
            self.name_problems(),
            self.block_problems(),
            self.grid_problems(),
            self.worker_problems(),
            self.pixel_problems(),
            self.scenes.problems(),
            self.encoding_problems(),
        ];
        parts.into_iter().flatten().collect()
    }

    /// What is missing among the names.
    fn name_problems(&self) -> Found {
        let mut found = Found::new();
        if self.inputs.is_empty() && self.scenes.stac.is_none() {
            let hint =
                "name raster files, folders, quoted globs, @list.txt, - for a list on stdin, or --stac FILE";
            found.push(("input", problem("no input is named", Some(hint))));
        }
        if self.output.as_os_str().is_empty() {
            found.push(("output", problem("no output is named", Some("add -o FILE"))));
        }
        found
    }

    /// Sizes of blocks and windows that cannot be.
    fn block_problems(&self) -> Found {
        let mut found = Found::new();
        let block_fits = self.block > 0 && self.block.is_multiple_of(16);
        if !block_fits {
            let message = format!("{} is no positive multiple of 16", self.block);
            found.push(("block", problem(message, Some("256, 512 and 1024 are usual"))));
        }
        if let Some(chunk) = self.chunk.filter(|chunk| *chunk == 0 || block_fits && chunk % self.block != 0) {
            let below = (chunk / self.block.max(1)).max(1) * self.block;
            let message = format!("{chunk} is no positive multiple of the block side {}", self.block);
            found
                .push(("chunk", problem(message, Some(&format!("{below} is; --block sets the block side")))));
        }
        found
    }

    /// Grids and CRSs that cannot be.
    fn grid_problems(&self) -> Found {
        let mut found = Found::new();
        if let ResolutionRule::Given(resolution) = self.resolution {
            let positive = |size: f64| size > 0.0 && size.is_finite();
            if !positive(resolution.x) || !positive(resolution.y) {
                // Debug writes tiny numbers with an exponent.
                let message = format!("{:?},{:?} is no pixel size above zero", resolution.x, resolution.y);
                found.push(("resolution", problem(message, None)));
            }
        }
        if let Some(Bounds { min_x, min_y, max_x, max_y }) = self.bounds {
            let ordered = |least: f64, most: f64| least < most && least.is_finite() && most.is_finite();
            if !ordered(min_x, max_x) || !ordered(min_y, max_y) {
                let message = format!("{min_x},{min_y},{max_x},{max_y} are no bounds");
                let hint = "the order is xmin,ymin,xmax,ymax, with each minimum below its maximum";
                found.push(("bounds", problem(message, Some(hint))));
            }
        }
        if self.crs.as_deref().is_some_and(|crs| crs.trim().is_empty()) {
            found.push(("crs", problem("an empty text is no CRS", Some("write EPSG:n, WKT or PROJ"))));
        }
        found
    }

    /// Memory, threads and child processes with which nothing works.
    fn worker_problems(&self) -> Found {
        let mut found = Found::new();
        if self.memory == 0 {
            found.push(("memory", problem("nothing works without memory", None)));
        }
        if self.threads == 0 {
            found.push(("threads", problem("at least one worker is needed", None)));
        }
        if self.isolate == Some(0) {
            let hint = "leave it out to need none";
            found.push(("isolate", problem("at least one child process is needed", Some(hint))));
        }
        if self.isolate.is_none() && self.window_timeout > 0 {
            let hint = "add --isolate N: a thread cannot be ended from outside, a process can";
            found.push(("window-timeout", problem("needs child processes", Some(hint))));
        }
        found
    }

    /// What is wrong with the method, formulas, and what is stored beside the pixels.
    fn pixel_problems(&self) -> Found {
        let mut found: Vec<_> =
            self.method.problem().into_iter().map(|message| ("method", message.into())).collect();
        found.extend(expressions::problems(&self.expressions).into_iter().map(|problem| ("expr", problem)));
        if let Some(factor) = self.scale_factor.filter(|factor| *factor == 0.0 || !factor.is_finite()) {
            found.push(("scale-factor", format!("{factor} leaves nothing of the pixels").into()));
        }
        for (key, asked) in [("provenance", self.provenance), ("date-band", self.date_band)] {
            if asked && !self.method.is_value() {
                let message = format!("no pixel of method {} comes from one source", self.method);
                found.push((key, message.into()));
            }
        }
        found
    }

    /// What does not go together in compression, predictor and creation options.
    fn encoding_problems(&self) -> Found {
        let mut found = Vec::new();
        let mut wrong =
            |key, message: String, hint: &str| found.push((key, Problem::new(message).hint(hint)));
        match (self.predictor, self.compression, self.dtype) {
            (Some(predictor), ..) if !(1..=3).contains(&predictor) => {
                wrong("predictor", format!("{predictor} is no predictor"), "1, 2 and 3 are");
            }
            (Some(2 | 3), Compression::None, _) => {
                let message = "a predictor needs a compression, and compress is none".into();
                wrong(
                    "predictor",
                    message,
                    "add --compress lzw, deflate or zstd, or leave the predictor out",
                );
            }
            (Some(3), _, Some(dtype)) if !dtype.is_float() => {
                wrong("predictor", format!("3 is for floats, and dtype is {dtype}"), "use --predictor 2");
            }
            _ => {}
        }
        let options = match self.creation_options() {
            Ok(options) => options,
            Err(problems) => {
                found.extend(problems.into_iter().map(|problem| ("co", problem)));
                return found;
            }
        };
        if self.format == Format::Cog && options.interleave == Some(Interleave::Band) {
            let message = "INTERLEAVE=BAND does not go with a cloud optimized GeoTIFF".into();
            wrong("co", message, "leave it out, or use --format gtiff");
        }
        let name = self.compression;
        if options.deflate_level.is_some() && name != Compression::Deflate {
            wrong("co", format!("ZLEVEL has no effect with {name}"), "add --compress deflate");
        }
        if options.zstd_level.is_some() && name != Compression::Zstd {
            wrong("co", format!("ZSTD_LEVEL has no effect with {name}"), "add --compress zstd");
        }
        if let Some(other) = options.compression.filter(|other| *other != name) {
            wrong("co", format!("COMPRESS={other} contradicts compression {name}"), "give one of them");
        }
        if let Some(other) = options.predictor.filter(|other| Some(*other) != self.predictor) {
            wrong("co", format!("PREDICTOR={other} is not the predictor that is set"), "give one of them");
        }
        if let Some(other) = options.block.filter(|other| *other != self.block) {
            wrong(
                "co",
                format!("blocks of {other} contradict the block side {}", self.block),
                "give one of them",
            );
        }
        found
    }
}
