//! Bands that no source has: formulas over others, and what is told of each pixel beside its value.

use super::factor::multiply_each;
use super::{Conflict, MosaicBand, Stacked, Unifier};
use crate::pixels::{BandRule, Formula, Method, Number, PixelType, Precision, Program};
use crate::source::scenes::Date;
use crate::source::{Problem, SourceBand};

/// Which bands are derived.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeriveRequest {
    /// Formulas that take the bands' place.
    pub formulas: Vec<Formula>,
    /// Whether they are computed of each scene, before pixels are decided.
    pub before: bool,
    /// What is told beside, a band each.
    pub beside: Vec<Beside>,
    /// What the bands are multiplied with.
    pub factor: Option<f64>,
}

/// What is told of a pixel beside its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Beside {
    /// How many scenes have data.
    Count,
    /// The number, from 1, of the scene that was chosen or comes nearest.
    Provenance,
    /// Its day, counted from 1 January 1970.
    Date,
}

impl Beside {
    fn description(self) -> &'static str {
        match self {
            Beside::Count => "count",
            Beside::Provenance => "provenance",
            Beside::Date => "days since 1970-01-01",
        }
    }
}

/// Formulas, understood and compiled.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Compiled {
    /// The formulas as they were understood, an output each.
    pub formulas: Vec<Formula>,
    /// The same to be computed fast.
    pub program: Program,
    /// What they call the bands that they read.
    pub bands: Vec<String>,
}

/// How the mosaic's bands come from those that are decided.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Derived {
    /// The bands that are decided; in their place stand the formulas' results, if there are any.
    pub bands: Vec<MosaicBand>,
    /// The type in which they are decided: with formulas a float, NaN where there are no data.
    pub pixel_type: PixelType,
    /// The formulas over them.
    pub formulas: Option<Compiled>,
    /// The bands behind, which tell something beside.
    pub beside: Vec<Beside>,
}

/// The mosaic's bands, and what they are stored in.
pub(super) struct Output {
    pub bands: Vec<MosaicBand>,
    pub pixel_type: PixelType,
    pub nodata: Option<Number>,
    pub mask: bool,
}

impl Unifier<'_> {
    /// The formulas asked for, compiled against bands of a type.
    pub(super) fn compile(&mut self, bands: &[MosaicBand], pixel_type: PixelType) -> Option<Compiled> {
        let formulas = self.formulas(bands)?;
        let names: Vec<String> = bands.iter().map(|band| band.carried.description.clone()).collect();
        match Program::compile(&formulas, &names, &vec![pixel_type; names.len()]) {
            Ok(program) => Some(Compiled { formulas, program, bands: names }),
            Err(problems) => {
                let of = |message| Conflict { problem: Problem::new("--expr", message), sources: Vec::new() };
                self.conflicts.extend(problems.into_iter().map(of));
                None
            }
        }
    }

    /// The formulas asked for, or those that multiply each band.
    fn formulas(&mut self, bands: &[MosaicBand]) -> Option<Vec<Formula>> {
        let request = &self.request.derive;
        match request.factor {
            None => (!request.formulas.is_empty()).then(|| request.formulas.clone()),
            Some(factor) if !request.formulas.is_empty() => {
                Some(request.formulas.iter().map(|formula| formula.times(factor)).collect())
            }
            Some(factor) => Some(multiply_each(bands, factor)),
        }
    }

    /// What is written, and how it comes from the bands `decided`, where it is not these: formulas were computed
    /// `before`, of each scene, or come `after`.
    pub(super) fn derive(
        &mut self,
        decided: Output,
        before: Option<&Compiled>,
        after: Option<Compiled>,
    ) -> (Output, Option<Derived>) {
        let mut output = match before.or(after.as_ref()) {
            Some(compiled) => {
                let computed = self.of_formulas(&compiled.program);
                match self.factor_alone() {
                    Some(factor) => self.of_factor(factor, &decided, computed),
                    None => computed,
                }
            }
            None => Output { bands: decided.bands.clone(), ..decided },
        };
        let request = &self.request.derive;
        if after.is_none() && request.beside.is_empty() {
            return (output, None);
        }
        let results = output.bands.clone();
        self.add_beside(&mut output);
        let derived = match after {
            Some(compiled) => Derived {
                bands: with_background(decided.bands, Number::Float(f64::NAN)),
                pixel_type: float_of(&compiled.program),
                formulas: Some(compiled),
                beside: request.beside.clone(),
            },
            None => Derived {
                bands: results,
                pixel_type: output.pixel_type,
                formulas: None,
                beside: request.beside.clone(),
            },
        };
        (output, Some(derived))
    }

    /// The bands that formulas make.
    fn of_formulas(&self, program: &Program) -> Output {
        let pixel_type = self.request.pixel_type.unwrap_or(float_of(program));
        let nodata = match self.request.nodata {
            Some(value) => Some(value).filter(|value| value.fits(pixel_type)),
            None => pixel_type.is_float().then_some(Number::Float(f64::NAN)),
        };
        let background = nodata.unwrap_or(Number::Whole(0));
        let band = |(index, name): (usize, Option<&str>)| {
            let description = name.map_or(format!("formula {}", index + 1), str::to_owned);
            MosaicBand { background, ..plain(description, pixel_type) }
        };
        let bands = program.outputs().enumerate().map(band).collect();
        Output { bands, pixel_type, nodata, mask: nodata.is_none() }
    }

    /// Adds the bands that tell something beside; the type becomes one that holds them too.
    fn add_beside(&mut self, output: &mut Output) {
        let request = &self.request.derive;
        if request.beside.is_empty() {
            return;
        }
        let scenes = self.scenes.map_or(self.sources.len(), <[_]>::len);
        let days = self.days();
        /// Days until 2079.
        const DAYS: usize = 40_000;
        let largest = if request.beside.contains(&Beside::Date) { DAYS.max(scenes) } else { scenes };
        let own = match largest <= usize::from(u16::MAX) {
            _ if days.iter().any(|day| *day < 0) => PixelType::Int32,
            true => PixelType::UInt16,
            false => PixelType::UInt32,
        };
        match output.pixel_type.promote(own) {
            Some(wider) if self.request.pixel_type.is_none() => output.pixel_type = wider,
            Some(wider) if wider == output.pixel_type => {}
            _ => {
                let message = format!("{} cannot hold what is told beside, of {own}", output.pixel_type);
                let problem =
                    Problem::new("--dtype", message).with_hint("leave it out, or choose a wider type");
                self.conflicts.push(Conflict { problem, sources: Vec::new() });
            }
        }
        let nodata = output.nodata.map(Number::to_f64);
        let is_day = |nodata: f64| days.iter().any(|day| *day as f64 == nodata);
        if nodata.is_some_and(|nodata| (1.0..=largest as f64).contains(&nodata) || is_day(nodata)) {
            let message = "lies among the numbers that are told beside: they would read as no data";
            let hint = match nodata.is_some_and(is_day) {
                true => "choose a number that is no scene's day since 1970, such as 65535",
                false => "choose 0, a number below, or a larger one",
            };
            let problem = Problem::new("--nodata", message).with_hint(hint);
            self.conflicts.push(Conflict { problem, sources: Vec::new() });
        }
        let background = output.nodata.unwrap_or(Number::Whole(0));
        let of = |beside: &Beside| MosaicBand {
            background,
            ..plain(beside.description().to_owned(), output.pixel_type)
        };
        output.bands.extend(request.beside.iter().map(of));
    }

    /// The days that are told beside, counted from 1 January 1970.
    fn days(&self) -> Vec<i64> {
        let tells = self.request.derive.beside.contains(&Beside::Date);
        let scenes = self.scenes.filter(|_| tells).unwrap_or_default();
        scenes.iter().filter_map(|scene| scene.date).map(|date| (date - Date::default()).num_days()).collect()
    }

    /// Names the values of the band of provenance: 0 is no scene, then come the scenes.
    pub(super) fn name_provenance(&self, bands: &mut [MosaicBand], stack: Option<&Stacked>) {
        let beside = &self.request.derive.beside;
        let (Some(index), Some(stack)) = (beside.iter().position(|one| *one == Beside::Provenance), stack)
        else {
            return;
        };
        let first = bands.len() - beside.len();
        let names = stack.scenes.iter().map(|scene| scene.name.to_string());
        bands[first + index].carried.categories =
            std::iter::once("no data".to_owned()).chain(names).collect();
    }
}

/// The float in which a program computes.
pub(super) fn float_of(program: &Program) -> PixelType {
    match program.precision() {
        Precision::Single => PixelType::Float32,
        Precision::Double => PixelType::Float64,
    }
}

fn with_background(bands: Vec<MosaicBand>, background: Number) -> Vec<MosaicBand> {
    bands.into_iter().map(|band| MosaicBand { background, ..band }).collect()
}

/// A band of which only the name is known.
fn plain(description: String, pixel_type: PixelType) -> MosaicBand {
    MosaicBand {
        rule: BandRule::Method(Method::First),
        background: Number::Whole(0),
        carried: SourceBand {
            pixel_type,
            nodata: None,
            impossible_nodata: None,
            description,
            unit: String::new(),
            scale: None,
            offset: None,
            color_interpretation: "Undefined".into(),
            palette: None,
            categories: Vec::new(),
            metadata: Vec::new(),
        },
    }
}
