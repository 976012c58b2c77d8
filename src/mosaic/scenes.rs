//! From inputs to scenes, and from scenes to one mosaic: for runs that ask for bands by name, for a mask, or for dates.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::gather::{self, Gathered};
use super::{Failure, Hooks, harmonize, method, scene_checks, transparency};
use crate::config::{self, OnError, SceneSettings, Settings};
use crate::pixels::{self, Formula, MaskRule};
use crate::run::in_parallel;
use crate::source::scenes::{Asked, BandFile, Found, Order, Scene, Search};
use crate::source::{
    Beside, DeriveRequest, Mosaic, Problem, Request, SceneFile, SceneSources, Source, StackRequest, Trust,
    unify_scenes,
};

/// Whether a run works on scenes: it asks for a mask, for bands by name, or chooses among scenes.
pub fn are_asked_for(settings: &Settings) -> bool {
    let SceneSettings { stac, scene_pattern, mask_band, from, to, max_cloud, order, .. } = &settings.scenes;
    let by_name = settings.bands.iter().any(|band| band.parse::<usize>().is_err());
    let chosen = from.is_some() || to.is_some() || max_cloud.is_some() || *order != config::Order::Given;
    let made = stac.is_some() || scene_pattern.is_some() || mask_band.is_some();
    by_name || chosen || made || settings.date_band || method::needs_dates(&settings.method)
}

/// Looks for scenes among the inputs, many at once.
pub fn find(settings: &Settings, trust: Trust, hooks: &mut Hooks) -> Result<Found, Failure> {
    let scenes = &settings.scenes;
    let dated_for = match method::needs_dates(&settings.method) {
        true => Some(format!("--method {}", settings.method)),
        false => settings.date_band.then(|| "--date-band".to_owned()),
    };
    let asked = Asked {
        bands: &settings.bands,
        mask_band: scenes.mask_band.as_deref(),
        pattern: scenes.scene_pattern.as_deref(),
        stac: scenes.stac.as_deref(),
        from: scenes.from,
        to: scenes.to,
        max_cloud: scenes.max_cloud,
        order: match scenes.order {
            config::Order::Given => Order::Given,
            config::Order::Date => Order::Date,
            config::Order::DateDescending => Order::DateDescending,
            config::Order::Cloud => Order::Cloud,
        },
        dated_for: dated_for.as_deref(),
        trust,
        skip: settings.on_error == OnError::Skip,
    };
    let search = Search::new(&settings.inputs, &asked, &mut *hooks.stdin);
    let stop = hooks.stop;
    let resolve = |index: usize| (!stop.load(Ordering::Relaxed)).then(|| search.resolve(index));
    let outcomes = in_parallel(settings.workers(), search.count(), resolve)?;
    let outcomes = outcomes.into_iter().collect::<Option<Vec<_>>>().ok_or(Failure::Interrupted)?;
    search.finish(outcomes).map_err(Failure::Problems)
}

/// Names of all files of scenes, each once.
pub fn files(scenes: &[Scene]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let all = scenes.iter().flat_map(|scene| scene.bands.iter().chain(&scene.mask)).map(|band| &band.file);
    all.filter(|file| seen.insert(file.as_str())).cloned().collect()
}

/// Makes one mosaic of scenes, whose files have been inspected. Problems of files are those of their scenes.
pub fn unify(
    settings: &Settings,
    mut found: Found,
    inspected: &[Arc<Source>],
    mut request: Request,
    mut gathered: Gathered<()>,
) -> Result<Gathered<Mosaic>, Failure> {
    gathered.skipped.append(&mut found.left_out);
    gathered.warnings.append(&mut found.notices);
    method::put_in_order(&settings.method, &mut found.scenes);
    let by_name: HashMap<&str, &Arc<Source>> =
        inspected.iter().map(|source| (&*source.name, source)).collect();
    let mut problems = transparency::take_out(&mut found, &by_name);
    let mut together = Vec::new();
    found.scenes.retain(|scene| {
        let made = put_together(scene, &by_name).map_err(|wrong| problems.extend(wrong));
        together.extend(made.as_ref().ok().cloned());
        made.is_ok()
    });
    let mut scenes = Vec::new();
    for (scene, shifts) in
        together.into_iter().zip(harmonize::shifts(settings, &found, &mut gathered.warnings))
    {
        match shifts {
            Ok(shifts) => scenes.push(SceneSources { shifts, ..scene }),
            Err(wrong) => problems.push(wrong),
        }
    }
    if settings.on_error == OnError::Skip {
        gathered.skipped.append(&mut problems);
    }
    if !problems.is_empty() {
        return Err(Failure::Problems(problems));
    }
    // Scenes of a file each that are simply laid on each other need not be looked at together.
    let plain =
        |scene: &SceneSources| scene.files.len() == 1 && scene.mask.is_none() && scene.shifts.is_empty();
    if !wants_stack(settings) && scenes.iter().all(plain) {
        request.stack = None;
    }
    request.bands.clear();
    request.band_names.clone_from(&found.band_names);
    loop {
        if scenes.is_empty() {
            gathered.skipped.push(Problem::new("the scenes", "not one of them can be used"));
            return Err(Failure::Problems(gathered.skipped));
        }
        let (unified, notes) = unify_scenes(&scenes, &request);
        match unified {
            Ok(mut mosaic) => {
                scene_checks::check(settings, &scenes).map_err(Failure::Problems)?;
                gathered.warnings.extend(scene_checks::named_in_vain(&settings.scenes, &scenes));
                gathered.warnings.extend(notes);
                describe(settings, &found.band_names, &scenes, &mut mosaic);
                let used = scenes.iter().map(|scene| scene.name.to_string()).collect();
                let Gathered { skipped, warnings, .. } = gathered;
                return Ok(Gathered { mosaic, used, skipped, warnings });
            }
            Err(conflicts) => {
                let name = |scene: &SceneSources| scene.name.to_string();
                gather::leave_out(settings, &mut scenes, name, conflicts, &mut gathered.skipped)?;
            }
        }
    }
}

/// Whether formulas are computed of each scene, before pixels are decided.
fn are_computed_before(settings: &Settings) -> bool {
    !settings.expressions.is_empty() && settings.expression_stage == config::Stage::Before
}

/// Whether all scenes of a pixel must be looked at together, whatever they are made of.
fn wants_stack(settings: &Settings) -> bool {
    let simple = matches!(settings.method, config::Method::Simple(_));
    let before = are_computed_before(settings);
    let beside = settings.count_band || settings.provenance || settings.date_band;
    !simple || settings.scenes.min_count > 1 || settings.scenes.zero_is_nodata || before || beside
}

/// What is asked of the stack; nothing where sources are simply laid on each other.
///
/// # Errors
/// A formula that cannot be understood.
pub fn stack(settings: &Settings) -> Result<Option<StackRequest>, Problem> {
    let SceneSettings { mask_values, keep_values, mask_bits, mask_buffer, min_count, zero_is_nodata, .. } =
        settings.scenes.clone();
    if !are_asked_for(settings) && !wants_stack(settings) {
        return Ok(None);
    }
    let mask = settings.scenes.mask_band.is_some().then(|| MaskRule {
        hidden: mask_values,
        kept: keep_values,
        bits: mask_bits.iter().fold(0, |bits, bit| bits | 1 << bit),
        reach: (mask_buffer, mask_buffer),
    });
    let (rule, score) = (method::rule(&settings.method), method::score(&settings.method)?);
    Ok(Some(StackRequest { rule, least: min_count, mask, zero_is_nodata, score }))
}

/// Which bands are derived; bands are named for a factor that all of them are multiplied with.
///
/// # Errors
/// Formulas that cannot be understood.
pub fn derive(settings: &Settings) -> Result<DeriveRequest, Vec<Problem>> {
    let (mut formulas, mut problems) = (Vec::new(), Vec::new());
    for text in &settings.expressions {
        match Formula::parse(text) {
            Ok(parsed) => formulas.extend(parsed),
            Err(message) => problems.push(Problem::new("--expr", message)),
        }
    }
    let beside = [
        (settings.count_band, Beside::Count),
        (settings.provenance, Beside::Provenance),
        (settings.date_band, Beside::Date),
    ];
    let beside = beside.into_iter().filter(|(asked, _)| *asked).map(|(_, beside)| beside).collect();
    let before = are_computed_before(settings);
    let request = DeriveRequest { formulas, before, beside, factor: settings.scale_factor };
    if problems.is_empty() { Ok(request) } else { Err(problems) }
}

/// A scene's bands by file, not yet shifted.
fn put_together(
    scene: &Scene,
    inspected: &HashMap<&str, &Arc<Source>>,
) -> Result<SceneSources, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut source_of = |band: &BandFile| {
        let source = *inspected.get(band.file.as_str())?;
        if band.band > source.bands.len() {
            let message = format!("has no band {}, only {}", band.band, source.bands.len());
            problems.push(Problem::new(&band.file, message));
            return None;
        }
        Some(Arc::clone(source))
    };
    let mut files: Vec<SceneFile> = Vec::new();
    for (slot, band) in scene.bands.iter().enumerate() {
        let Some(source) = source_of(band) else { continue };
        let index = match files.iter().position(|file| Arc::ptr_eq(&file.source, &source)) {
            Some(index) => index,
            None => {
                files.push(SceneFile { source, bands: Vec::new(), slots: Vec::new() });
                files.len() - 1
            }
        };
        files[index].bands.push(band.band - 1);
        files[index].slots.push(slot);
    }
    let mask = scene.mask.as_ref().and_then(|mask| Some((source_of(mask)?, mask.band - 1)));
    let complete = files.iter().map(|file| file.slots.len()).sum::<usize>() == scene.bands.len()
        && mask.is_some() == scene.mask.is_some();
    match complete {
        true => Ok(SceneSources {
            name: scene.name.as_str().into(),
            files,
            mask,
            shifts: Vec::new(),
            date: scene.date,
        }),
        // A file that could not be inspected is a problem already.
        false => Err(problems),
    }
}

/// Names the bands, and says which dates are covered.
fn describe(settings: &Settings, band_names: &[String], scenes: &[SceneSources], mosaic: &mut Mosaic) {
    // Formulas have names of their own.
    let named = if settings.expressions.is_empty() { band_names } else { &[] };
    for (band, name) in mosaic.bands.iter_mut().zip(named) {
        band.carried.description = match &settings.method {
            config::Method::Simple(pixels::Method::First | pixels::Method::Last) => name.clone(),
            config::Method::Best { .. } => format!("{name} best"),
            method => format!("{name} {method}"),
        };
    }
    let dates = || scenes.iter().filter_map(|scene| scene.date);
    if let (Some(first), Some(last)) = (dates().min(), dates().max()) {
        let items = [("FIRST_DATE", first.to_string()), ("LAST_DATE", last.to_string())];
        mosaic.metadata.retain(|(key, _)| !items.iter().any(|(name, _)| name == key));
        mosaic.metadata.extend(items.map(|(key, value)| (key.to_owned(), value)));
    }
    mosaic.metadata.push(("SCENES".into(), scenes.len().to_string()));
}
