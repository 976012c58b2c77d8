//! Formulas and a raster's bands to a program: which band each name means, and which precision is needed.

use super::Formula;
use super::graph::Graph;
use super::program::{Output, Precision, Program};
use super::schedule::schedule;
use super::tree::Tree;
use crate::pixels::PixelType;

impl Program {
    /// Compiles `formulas`, an output each, against a raster whose bands have the descriptions `bands` (empty where
    /// there is none) and the types `types`.
    ///
    /// It computes in `f32`, but in `f64` where a formula reads a band of a type that `f32` does not hold (32-bit and
    /// 64-bit whole numbers, Float64), or names a constant that is beyond `f32`'s range or whole and not an `f32`.
    ///
    /// # Errors
    /// All problems at once: names that mean no band or several, and outputs called alike.
    ///
    /// # Panics
    /// When there are not as many types as bands.
    pub fn compile(
        formulas: &[Formula],
        bands: &[String],
        types: &[PixelType],
    ) -> Result<Program, Vec<String>> {
        assert_eq!(bands.len(), types.len());
        let problems = problems(formulas, bands);
        if !problems.is_empty() {
            return Err(problems);
        }
        let band = |name: &str| find_band(name, bands).unwrap_or_default();
        let output = |formula: &Formula| {
            let mut read: Vec<usize> = formula.names().into_iter().map(band).collect();
            read.sort_unstable();
            read.dedup();
            Output { name: formula.name.clone(), bands: read }
        };
        let outputs: Vec<Output> = formulas.iter().map(output).collect();
        let wide = |band: &usize| !PixelType::Float32.holds(types[*band]);
        let wide = outputs.iter().flat_map(|output| &output.bands).any(wide)
            || formulas.iter().any(Formula::names_wide_number);
        let mut graph = Graph::default();
        let (precision, ids): (_, Vec<_>) = if wide {
            (Precision::Double, formulas.iter().map(|f| graph.add::<f64>(&f.tree, &band)).collect())
        } else {
            (Precision::Single, formulas.iter().map(|f| graph.add::<f32>(&f.tree, &band)).collect())
        };
        let (steps, registers) = schedule(&graph, &ids);
        let bands = bands.iter().enumerate().map(|(band, text)| shown_band(band, text)).collect();
        Ok(Program { precision, steps, registers, outputs, bands })
    }
}

impl Formula {
    /// The names of the bands that it reads, each once, in the order written.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.tree.visit(&mut |tree| match tree {
            Tree::Band(name) if !names.contains(&name.as_str()) => names.push(name.as_str()),
            _ => {}
        });
        names
    }

    fn names_wide_number(&self) -> bool {
        let mut wide = false;
        self.tree.visit(&mut |tree| {
            if let Tree::Number(number) = *tree {
                let single = number as f32;
                let whole = number.fract() == 0.0 && f64::from(single) != number;
                let tiny = number != 0.0 && single.abs() < f32::MIN_POSITIVE;
                wide |= whole || tiny || (number.is_finite() && single.is_infinite());
            }
        });
        wide
    }
}

/// The band, counted from 0, that `name` means in a raster whose bands have these descriptions: `b1`, `b2` and so on
/// always mean a band by its number; else the one with this description, letter by letter or, if there is none, but
/// for upper and lower case.
///
/// # Errors
/// When that is no band or several.
pub fn find_band(name: &str, bands: &[String]) -> Result<usize, String> {
    let count = bands.len();
    if let Some(number) = band_number(name) {
        let index = number.filter(|number| (1..=count).contains(number)).map(|number| number - 1);
        return index.ok_or_else(|| format!("there is no band {name}; there are b1 to b{count}"));
    }
    let of = |matches: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..count).filter(|band| matches(bands[*band].trim())).collect()
    };
    let mut found = of(&|description| description == name);
    if found.is_empty() {
        found = of(&|description| description.to_lowercase() == name.to_lowercase());
    }
    match found[..] {
        [band] => Ok(band),
        [] => {
            let known: Vec<String> =
                bands.iter().enumerate().map(|(band, text)| listed_band(band, text)).collect();
            Err(format!("no band is called {name}; known are {}", known.join(", ")))
        }
        _ => {
            let numbers: Vec<String> = found.iter().map(|band| format!("b{}", band + 1)).collect();
            Err(format!("several bands are called {name}; say which: {}", numbers.join(", ")))
        }
    }
}

/// The number of a name like `b12`; inside `None` where it is too large.
fn band_number(name: &str) -> Option<Option<usize>> {
    let digits = name.strip_prefix('b')?;
    let is_number = digits.starts_with(|first: char| ('1'..='9').contains(&first))
        && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok())
}

fn problems(formulas: &[Formula], bands: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, formula) in formulas.iter().enumerate() {
        let wrong = formula.names().into_iter().filter_map(|name| find_band(name, bands).err());
        problems.extend(wrong);
        let taken = formulas[..index].iter().any(|other| other.name == formula.name);
        if let (true, Some(name)) = (taken, &formula.name) {
            problems.push(format!("several formulas are called {name}: give each a name of its own"));
        }
    }
    let mut once: Vec<String> = Vec::new();
    for problem in problems {
        if !once.contains(&problem) {
            once.push(problem);
        }
    }
    once
}

/// What a band is called in a formula.
fn shown_band(band: usize, description: &str) -> String {
    let description = description.trim();
    let plain = description.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && description.chars().all(|c| c.is_alphanumeric() || c == '_');
    match description {
        "" => format!("b{}", band + 1),
        _ if plain => description.to_owned(),
        _ => format!("{{{description}}}"),
    }
}

fn listed_band(band: usize, description: &str) -> String {
    let number = format!("b{}", band + 1);
    let shown = shown_band(band, description);
    if shown == number { number } else { format!("{number} ({shown})") }
}
