//! What names stand for in one scene, and what is wrong where they stand for nothing.

use super::BandFile;
use super::details::Details;
use crate::source::Problem;

/// A band of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// Where it is.
    pub source: BandFile,
    /// What it is called in the mosaic.
    pub name: String,
    /// Whether that is what its file or document calls it.
    pub described: bool,
    /// Whether it holds reflectances.
    pub reflectance: bool,
    /// The offset of its reflectances, where the metadata tell.
    pub offset: Option<f64>,
}

/// Why a name stands for nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Miss {
    /// There is no such band.
    Missing,
    /// There are several; these.
    Ambiguous(Vec<String>),
    /// A file cannot be used.
    Problem(Problem),
}

impl From<Problem> for Miss {
    fn from(problem: Problem) -> Miss {
        Miss::Problem(problem)
    }
}

/// What a name asked for stands for: one band, or all those of a file.
pub type Picks = Result<Vec<Picked>, Miss>;

/// What could not be picked: missing bands together, the other problems one by one.
pub fn misses<'p>(
    scene: &str,
    picks: impl Iterator<Item = &'p (&'p str, Picks)>,
    offers: impl Fn() -> Vec<String>,
) -> Vec<Problem> {
    const MOST: usize = 30;
    let (mut missing, mut problems) = (Vec::new(), Vec::new());
    for (name, picks) in picks {
        match picks {
            Ok(_) => {}
            Err(Miss::Missing) if missing.contains(name) => {}
            Err(Miss::Missing) => missing.push(*name),
            Err(Miss::Ambiguous(several)) => problems.push(
                Problem::new(scene, format!("{name} may be any of: {}", several.join(", "))).with_hint(
                    "a longer name tells them apart, or --scene-pattern where they are of several scenes",
                ),
            ),
            // Most are the file's, which other names met already.
            Err(Miss::Problem(problem)) if problems.contains(problem) => {}
            Err(Miss::Problem(problem)) => problems.push(problem.clone()),
        }
    }
    if !missing.is_empty() {
        let mut has = offers();
        let more = has.len().saturating_sub(MOST);
        has.truncate(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let problem = Problem::new(scene, format!("has no band {}", missing.join(", ")));
        problems.insert(0, problem.with_hint(format!("it has {}{more}", has.join(", "))));
    }
    problems
}

/// The one offset of a scene's reflectances; unknown where nothing tells.
pub fn offset<'p>(
    scene: &str,
    details: &Details,
    bands: impl Iterator<Item = &'p Picked>,
) -> Result<Option<f64>, Problem> {
    let mut known = bands.filter(|pick| pick.reflectance).filter_map(|pick| Some((pick, pick.offset?)));
    let Some((first, offset)) = known.next() else {
        return Ok(details.is_before_offsets().then_some(0.0));
    };
    match known.find(|(_, other)| *other != offset) {
        None => Ok(Some(offset)),
        Some((other, differs)) => {
            let (a, b) = (&first.name, &other.name);
            Err(Problem::new(scene, format!("the offset of band {a} is {offset}, that of {b} is {differs}"))
                .with_hint("make a mosaic of each"))
        }
    }
}
