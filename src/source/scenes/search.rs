//! The search for scenes in three steps, of which the middle one can be done for many scenes at once.

use std::io::BufRead;

use super::beside;
use super::candidates::{self, Candidate, Content};
use super::details::Details;
use super::picks::{Picked, Picks, misses, offset};
use super::resolved::{Resolved, alike};
use super::sentinel2::Product;
use super::shelf::Shelf;
use super::stac::Item;
use super::{Asked, Date, Found, Scene, band_names::Named, dates, document, keep, unused};
use crate::source::Problem;

/// What may be scenes: made of the inputs, each to be looked into, then brought together.
pub struct Search<'a> {
    asked: &'a Asked<'a>,
    candidates: Vec<Candidate>,
    problems: Vec<Problem>,
    notices: Vec<String>,
}

/// What became of one candidate.
#[derive(Debug)]
pub struct Outcome(Kind);

#[derive(Debug)]
enum Kind {
    Scene(Box<Resolved>),
    LeftOut(Problem),
    Problems(Vec<Problem>),
}

impl<'a> Search<'a> {
    /// Lists what may be scenes; few files are opened.
    pub fn new(inputs: &[String], asked: &'a Asked<'a>, stdin: impl BufRead) -> Search<'a> {
        let mut notices = Vec::new();
        let (candidates, problems) = candidates::find(inputs, asked, stdin, &mut notices);
        Search { asked, candidates, problems, notices }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.candidates.len()
    }

    /// Looks into the candidate with this index, below [`Search::count`].
    pub fn resolve(&self, index: usize) -> Outcome {
        let candidate = &self.candidates[index];
        let kind = match &candidate.content {
            Content::Files { files, date, owns_folder } => {
                self.of_files(candidate, files, *date, *owns_folder)
            }
            Content::Product(root) => self.of_product(candidate, root),
            Content::Item(item) => self.of_item(item),
            Content::Unusable(problem) => Err(problem.clone()),
        };
        Outcome(kind.unwrap_or_else(|problem| Kind::Problems(vec![problem])))
    }

    fn of_files(
        &self,
        candidate: &Candidate,
        files: &[Named],
        date: Option<Date>,
        owns_folder: bool,
    ) -> Result<Kind, Problem> {
        let folder = beside::place(&files[0].file);
        // A document in a folder of several scenes is about one of them at most.
        let (beside, offsets) = match owns_folder || candidate.name == folder {
            true => {
                let (details, offsets) = beside::documents(folder)?;
                let baseline = Details::of_name(folder).baseline;
                (details.or(Details { baseline, ..Details::default() }), offsets)
            }
            false => Default::default(),
        };
        let shelf = Shelf::new(files, offsets.as_ref(), self.asked.trust);
        let known = Details { date, ..Details::default() }.or(beside);
        let mut kind = self.on_shelf(candidate, known, files, &shelf)?;
        if let Kind::Scene(resolved) = &mut kind {
            // Among others only it matters what its pixels carry.
            if self.count() > 1 {
                resolved.take_baseline(files, &shelf);
            }
            resolved.unused = unused::among(files, &resolved.scene, self.asked, &shelf)?;
        }
        Ok(kind)
    }

    fn of_product(&self, candidate: &Candidate, root: &str) -> Result<Kind, Problem> {
        let problem = |error: anyhow::Error| Problem::new(&candidate.name, format!("{error:#}"));
        let product = Product::list(root).map_err(problem)?;
        if product.images.is_empty() {
            return Err(Problem::new(&candidate.name, "holds no images (.jp2 in IMG_DATA); is it whole?"));
        }
        let document = product.document.as_deref().map(beside::read_sentinel2).transpose()?;
        let (details, offsets) = document.unzip();
        let shelf = Shelf::of_product(&product, offsets.as_ref(), self.asked.trust);
        self.on_shelf(candidate, details.unwrap_or_default(), &product.images, &shelf)
    }

    /// The bands among files, with what documents beside them tell; further details come from names, then from the
    /// metadata of the first file, which is opened where it is the only one, or something that is needed is missing.
    fn on_shelf(
        &self,
        candidate: &Candidate,
        known: Details,
        files: &[Named],
        shelf: &Shelf,
    ) -> Result<Kind, Problem> {
        let own = || std::iter::once(candidate.name.as_str());
        let of_files = || files.iter().map(|named| named.file.as_str());
        let mut details = match &candidate.content {
            // A folder may be called after a delivery.
            Content::Files { .. } if candidate.name == document::own_folder(&files[0].file) => {
                of_names(known, of_files().chain(own()))
            }
            _ => of_names(known, own().chain(of_files())),
        };
        // A folder that is called after a day holds what was seen on it.
        let folder = document::file_name(document::folder(&files[0].file));
        details.date = details.date.or_else(|| dates::of_day(folder));
        let lacks_date = details.date.is_none() && (files.len() == 1 || keep::needs_date(self.asked));
        if lacks_date || details.cloud.is_none() && keep::needs_cloud(self.asked) {
            details = details.or(Details::of_source(&*shelf.open(&files[0])?));
        }
        details.date = details.date.or_else(|| dates::of_year(document::stem(&candidate.name)));
        let all = || {
            let hint = "name the bands of a scene with --bands";
            let several = || Problem::new(&candidate.name, "has several files").with_hint(hint);
            shelf.all().unwrap_or_else(|| Err(several().into()))
        };
        self.scene(&candidate.name, details, |name, single| shelf.pick(name, single), all, || shelf.offers())
    }

    fn of_item(&self, item: &Item) -> Result<Kind, Problem> {
        let all = || {
            let hint = "name the assets of a scene with --bands";
            Err(Problem::new(&item.id, "is an item of STAC").with_hint(hint).into())
        };
        let pick = |name: &str, single| item.assets.pick(name, single, self.asked.trust);
        self.scene(&item.id, item.details.clone(), pick, all, || item.assets.keys())
    }

    /// The scene, unless it is not wanted, with the bands that are picked; all of them where none are asked for.
    fn scene(
        &self,
        name: &str,
        details: Details,
        pick: impl Fn(&str, bool) -> Picks,
        all: impl Fn() -> Picks,
        offers: impl Fn() -> Vec<String>,
    ) -> Result<Kind, Problem> {
        if let Some(reason) = keep::reason_against(name, &details, self.asked)? {
            return Ok(Kind::LeftOut(reason));
        }
        let mask = self.asked.mask_band.map(|mask| (mask, pick(mask, true)));
        let of_mask =
            mask.as_ref().and_then(|(_, picks)| picks.as_ref().ok()?.first()).map(|pick| pick.source.clone());
        let mut picks: Vec<(&str, Picks)> =
            self.asked.bands.iter().map(|band| (&**band, pick(band, false))).collect();
        if picks.is_empty() {
            let others =
                |bands: Vec<Picked>| bands.into_iter().filter(|pick| Some(&pick.source) != of_mask.as_ref());
            picks.push(("", all().map(|bands| others(bands).collect())));
        }
        let problems = misses(name, picks.iter().chain(&mask), offers);
        if !problems.is_empty() {
            return Ok(Kind::Problems(problems));
        }
        let bands: Vec<Vec<Picked>> = picks.into_iter().filter_map(|(_, picks)| picks.ok()).collect();
        let scene = Scene {
            name: name.to_owned(),
            offset: offset(name, &details, bands.iter().flatten())?,
            date: details.date,
            cloud: details.cloud,
            baseline: details.baseline,
            bands: bands.iter().flatten().map(|pick| pick.source.clone()).collect(),
            mask: of_mask,
        };
        Ok(Kind::Scene(Box::new(Resolved { scene, bands, unused: Vec::new() })))
    }

    /// Brings together what became of all candidates, in their order.
    ///
    /// # Errors
    /// All that is wrong with inputs and scenes; that scenes differ in their bands, or that none is left.
    pub fn finish(self, outcomes: Vec<Outcome>) -> Result<Found, Vec<Problem>> {
        let Search { asked, mut problems, mut notices, .. } = self;
        let (mut resolved, mut left_out) = (Vec::new(), Vec::new());
        for Outcome(kind) in outcomes {
            match kind {
                Kind::Scene(scene) => resolved.push(*scene),
                Kind::LeftOut(problem) => left_out.push(problem),
                Kind::Problems(several) if asked.skip => left_out.extend(several),
                Kind::Problems(several) => problems.extend(several),
            }
        }
        let (resolved, others) = alike(resolved, asked);
        if asked.skip {
            left_out.extend(others)
        } else {
            problems.extend(others)
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let Some(first) = resolved.first() else {
            left_out.push(Problem::new("the scenes", "not one of them is left"));
            return Err(left_out);
        };
        notices.extend(unused::notice(resolved.iter().flat_map(|scene| &scene.unused)));
        let bands = || first.bands.iter().flatten();
        let band_names = bands().map(|pick| pick.name.clone()).collect();
        // A band that holds no reflectances in one scene holds none in the others.
        let holds = |index: usize| {
            resolved.iter().all(|r| r.bands.iter().flatten().nth(index).is_none_or(|pick| pick.reflectance))
        };
        let reflectance = (0..bands().count()).map(holds).collect();
        let mut scenes: Vec<Scene> = resolved.into_iter().map(|resolved| resolved.scene).collect();
        keep::sort(&mut scenes, asked.order);
        Ok(Found { scenes, band_names, reflectance, left_out, notices })
    }
}

/// What is known, with what names tell besides, the first ones first.
fn of_names<'a>(mut known: Details, names: impl Iterator<Item = &'a str>) -> Details {
    for name in names {
        if known.date.is_some() && known.baseline.is_some() {
            break;
        }
        known = known.or(Details::of_name(name));
    }
    known
}
