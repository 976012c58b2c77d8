//! Every setting by name: one row each, from which flags, environment variables and the file's keys are made.

use super::{Format, Harmonize, Method, OnError, Order, ProgressMode, Stage, Verify};
use crate::codec::Compression;
use crate::pixels::{OverviewResampling, PixelType, Resampling};
use crate::source::ReaderChoice;

/// How a setting's text is made of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One value. Numbers in it may be separated by commas (`0,0,10,10`).
    Value,
    /// Values separated by commas, or given by repeating the flag.
    List,
    /// Formulas separated by semicolons, or given by repeating the flag. They may have commas in them.
    Formulas,
    /// On or off. The flag takes no value; file and environment take `true` or `false`.
    Switch,
}

/// Under which heading help lists a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The file that is written.
    Output,
    /// Where pixels lie.
    Grid,
    /// What pixels are.
    Pixels,
    /// Which scenes there are, and which of their pixels take part.
    Scenes,
    /// Memory, threads, problems, verification.
    Work,
    /// What is told to whom.
    Telling,
}

impl Group {
    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Group::Output => "Output",
            Group::Grid => "Grid",
            Group::Pixels => "Pixels",
            Group::Scenes => "Scenes and masks",
            Group::Work => "Work",
            Group::Telling => "Messages and reports",
        }
    }
}

/// One setting.
#[derive(Debug)]
pub struct Key {
    /// Its name in the file, and with `--` before it the flag.
    pub name: &'static str,
    /// The flag's short form.
    pub short: Option<char>,
    /// How its text is made of words.
    pub kind: Kind,
    /// What help calls its value.
    pub placeholder: &'static str,
    /// The heading in help.
    pub group: Group,
    /// One line of help.
    pub help: &'static str,
    /// The values, when they are a fixed list of names.
    pub choices: fn() -> Vec<&'static str>,
}

impl Key {
    /// The setting of that name.
    pub fn find(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// Names of settings that look like a mistyped name, the nearest first.
    pub fn near(name: &str) -> Vec<&'static str> {
        let mut near: Vec<_> = KEYS
            .iter()
            .map(|key| (distance(key.name, name), key.name))
            .filter(|(distance, known)| *distance <= 1 + name.len() / 4 || known.starts_with(name))
            .collect();
        near.sort();
        near.into_iter().map(|(_, name)| name).collect()
    }
}

/// How many letters must be inserted, removed or replaced to make one word of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[row.len() - 1]
}

fn any() -> Vec<&'static str> {
    Vec::new()
}

macro_rules! names_of {
    ($Type:ident) => {
        || $Type::ALL.iter().map(|value| value.name()).collect()
    };
}

macro_rules! keys {
    ($($name:literal $(-$short:literal)? $kind:ident $group:ident $placeholder:literal $choices:expr, $help:expr;)+) => {
        /// Every setting, in the order in which help lists them.
        pub const KEYS: &[Key] = &[$(Key {
            name: $name,
            short: [$(Some($short),)? None][0],
            kind: Kind::$kind,
            placeholder: $placeholder,
            group: Group::$group,
            help: $help,
            choices: $choices,
        }),+];
    };
}

keys! {
    "output" -'o' Value Output "FILE" any, "The GeoTIFF to write";
    "format" Value Output "NAME" names_of!(Format), "A plain GeoTIFF, or a cloud optimized one [default: gtiff]";
    "overviews" Value Output "auto|none|N,…" any,
        "Overviews: halved until a block holds them, none, or by these factors [default: none, with format cog auto]";
    "overview-resampling" Value Output "NAME" names_of!(OverviewResampling),
        "How pixels of overviews are made [default: average, with palettes mode]";
    "overwrite" Switch Output "" any, "Replace the output when it exists (never when it is one of the inputs)";
    "compress" Value Output "NAME" names_of!(Compression), "How blocks are compressed [default: lzw]";
    "predictor" Value Output "N" || vec!["1", "2", "3"],
        "What is done to pixels before compression: 1 nothing, 2 differences, 3 floats' differences \
         [default: 2, for floats 3]";
    "co" List Output "KEY=VALUE" any, "Another creation option of GDAL's GTiff driver; may be repeated";
    "block" Value Output "PX" any, "Side of the output's blocks, a multiple of 16 [default: 512]";
    "count-band" Switch Output "" any, "Also store how many sources have data in each pixel";
    "provenance" Switch Output "" any, "Also store which source each pixel comes from";
    "date-band" Switch Output "" any, "Also store the day of the source that each pixel comes from";

    "crs" Value Grid "CRS" any, "Target CRS: EPSG:n, WKT or PROJ; sources of another CRS are warped";
    "resolution" Value Grid "RULE|X[,Y]" any,
        "Pixel size: highest, lowest, average, common, or X[,Y] in units of the CRS [default: the sources' own, \
         which must agree]";
    "bounds" Value Grid "XMIN,YMIN,XMAX,YMAX" any, "Bounds in the target CRS [default: all sources]";
    "align" Switch Grid "" any, "Move the edges outwards to multiples of the resolution";
    "resampling" Value Grid "NAME" names_of!(Resampling),
        "How pixels are made of sources on another grid [default: nearest]";

    "method" Value Pixels "NAME" Method::forms, "How overlaps are decided; capitals are a parameter [default: last]";
    "bands" List Pixels "LIST" any, "Bands by number or description, in this order, alpha last [default: all]";
    "dtype" Value Pixels "TYPE" names_of!(PixelType), "The output's pixel type; values are rounded and clamped to it";
    "src-nodata" Value Pixels "VALUE" any, "Nodata of all sources, instead of their own; nan is a value";
    "nodata" Value Pixels "VALUE" any, "Nodata of the output; nan is a value";
    "expr" Formulas Pixels "NAME=FORMULA" any, "A band computed of others: 'ndvi=(B08-B04)/(B08+B04)'; may be repeated";
    "expr-stage" Value Pixels "WHEN" names_of!(Stage),
        "Whether formulas are computed before or after overlaps are decided [default: after]";
    "scale-factor" Value Pixels "X" any, "Multiply pixels, but for alpha, by this before they take the output's type";

    "stac" Value Scenes "FILE" any, "A STAC document whose items are scenes, beside the inputs";
    "scene-pattern" Value Scenes "REGEX" any,
        "Puts files together to scenes: groups named band, and scene or date [default: by name and metadata]";
    "from" Value Scenes "DATE" any, "The first day wanted, YYYY-MM-DD";
    "to" Value Scenes "DATE" any, "The last day wanted";
    "max-cloud" Value Scenes "PERCENT" any, "Leave out scenes with more clouds";
    "order" Value Scenes "NAME" names_of!(Order),
        "In which order scenes count; -date is the latest first, cloud the clearest [default: given]";
    "harmonize" Value Scenes "HOW" names_of!(Harmonize),
        "Whether the offset of Sentinel-2 from baseline 04.00 on is taken away [default: auto]";
    "zero-is-nodata" Switch Scenes "" any, "Take 0 for nodata in every source that names no other";
    "mask-band" Value Scenes "NAME" any, "The band that says which pixels take part, such as SCL";
    "mask-values" List Scenes "LIST" any, "Leave out pixels of these values in the mask band: 0,1,3,8-11";
    "keep-values" List Scenes "LIST" any, "Leave out pixels of any other value in the mask band";
    "mask-bits" List Scenes "LIST" any, "Leave out pixels with one of these bits set in the mask band; 0 is the lowest";
    "mask-buffer" Value Scenes "METRES" any, "Leave out pixels so near to a masked one, too [default: 0]";
    "min-count" Value Scenes "N" any, "Scenes with data that a pixel needs at least [default: 1]";

    "chunk" -'c' Value Work "PX" any,
        "Side of a window, the unit of work, a multiple of the block side [default: planned]";
    "memory" Value Work "SIZE" any,
        "Memory that the process stays within: 4GiB, 512MiB, 50% [default: half of what is free]";
    "memory-ceiling" Value Work "SIZE" any,
        "What it may take before the job is ended in order, with exit code 137: auto (a fifth more than --memory), a \
         size, or off [default: auto]";
    "threads" Value Work "N" any, "Workers at most [default: as many as CPUs and memory allow]";
    "isolate" Value Work "N" any,
        "Read and decide in N child processes, each with a memory ceiling: a source that ends one does not end the job";
    "window-timeout" Value Work "SECONDS" any,
        "Replace a child process that does not answer for so long [default: none; needs --isolate]";
    "on-error" Value Work "WHAT" names_of!(OnError),
        "What an input with a problem does: fail the job, or be skipped and listed [default: fail]";
    "reader" Value Work "NAME" names_of!(ReaderChoice),
        "How sources are read: auto reads blocks directly where that gives the pixels that GDAL gives, direct demands \
         it, vrt reads all through GDAL [default: auto]";
    "allow-remote" Switch Work "" any,
        "Let STAC documents and virtual rasters refer to the network and to names of GDAL's (/vsi…)";
    "allow-root" List Work "DIR" any, "Let them refer to files below this folder, beside their own; may be repeated";
    "retries" Value Work "N" any,
        "How often a server that fails is asked again, at growing intervals [default: 4]";
    "verify" Value Work "HOW" names_of!(Verify), "How the written file is checked [default: quick]";
    "resume" Switch Work "" any,
        "Go on with what an earlier run of the same job left, whatever ended it; begin afresh where it left nothing";
    "checkpoint" Value Work "SECONDS" any,
        "How often finished windows are made safe, for --resume [default: 5]";

    "dry-run" Switch Telling "" any, "Print the plan and stop; with -v also where each setting came from";
    "report" Value Telling "FILE" any, "Write a report as JSON";
    "progress" Value Telling "HOW" names_of!(ProgressMode),
        "How progress is shown; auto is a bar on a terminal and a line every few seconds elsewhere [default: auto]";
    "quiet" -'q' Switch Telling "" any, "Print errors only";
    "verbose" -'v' Switch Telling "" any, "Print more, GDAL's own warnings included";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_names_find_their_neighbours() {
        assert_eq!(Key::near("memroy"), ["memory"]);
        assert_eq!(Key::near("compression"), ["compress"]);
        assert_eq!(Key::near("nodate")[0], "nodata");
        assert!(Key::near("elephant").is_empty());
    }

    #[test]
    fn names_and_short_forms_are_unique() {
        let names: std::collections::BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
        let shorts: std::collections::BTreeSet<_> = KEYS.iter().filter_map(|key| key.short).collect();
        assert_eq!(names.len(), KEYS.len());
        assert_eq!(shorts.into_iter().collect::<String>(), "coqv");
    }
}
