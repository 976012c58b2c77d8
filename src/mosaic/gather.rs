//! From the inputs as typed to one mosaic: everything that stands in the way is found before anything is written.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Failure, Hooks, method, places, scenes};
use crate::config::{OnError, Settings};
use crate::run::in_parallel;
use crate::source::{
    Conflict, DeriveRequest, Model, Mosaic, Problem, Request, Source, StackRequest, Trust, inspect, names,
    resolve_crs, unify,
};

/// The mosaic, and what became of each input.
pub struct Gathered<Made = Mosaic> {
    /// What is made.
    pub mosaic: Made,
    /// Names of the sources, in the order given.
    pub used: Vec<String>,
    /// Inputs left out, and why.
    pub skipped: Vec<Problem>,
    /// What should be known.
    pub warnings: Vec<String>,
}

/// Looks at every input, in parallel, and makes one mosaic of them.
pub fn gather(settings: &Settings, trust: Trust, hooks: &mut Hooks) -> Result<Gathered, Failure> {
    let mut problems = places::in_the_way(settings);
    let mut warnings = Vec::new();
    let (names, found) = match scenes::are_asked_for(settings) {
        false => {
            let expanded = names::expand(&settings.inputs, &mut *hooks.stdin);
            problems.extend(expanded.problems.into_iter().map(|p| Problem::new(p.input, p.message)));
            warnings.extend(expanded.notices);
            (expanded.names, None)
        }
        true => match scenes::find(settings, trust, hooks) {
            Ok(found) => (scenes::files(&found.scenes), Some(found)),
            Err(Failure::Problems(wrong)) => {
                problems.extend(wrong);
                return Err(Failure::Problems(problems));
            }
            Err(failure) => return Err(failure),
        },
    };
    let wkt = match settings.crs.as_deref().map(resolve_crs).transpose() {
        Ok(wkt) => wkt,
        Err(error) => {
            problems.push(Problem::new("--crs", format!("{error:#}")));
            None
        }
    };
    let stack = scenes::stack(settings).unwrap_or_else(|problem| {
        problems.push(problem);
        None
    });
    let derive = scenes::derive(settings).unwrap_or_else(|wrong| {
        problems.extend(wrong);
        DeriveRequest::default()
    });
    let request = Request { derive, ..request(settings, wkt, stack) };
    let (mut sources, wrong) = inspect_all(&names, &request, (settings.workers(), trust), &mut warnings)?;
    problems.extend(places::among_the_read(settings, &names, &sources));
    let mut skipped = Vec::new();
    match settings.on_error {
        OnError::Fail => problems.extend(wrong),
        OnError::Skip => skipped.extend(wrong),
    }
    if !problems.is_empty() {
        // What is wrong among the good inputs is told too, as far as it is known without the others.
        if found.is_none() && settings.crs.is_some() == request.wkt.is_some() && !sources.is_empty() {
            let conflicts = unify(&sources, &request).0.err().unwrap_or_default();
            problems.extend(conflicts.into_iter().map(|conflict| conflict.problem));
        }
        return Err(Failure::Problems(problems));
    }
    if let Some(found) = found {
        let gathered = Gathered { mosaic: (), used: Vec::new(), skipped, warnings };
        return scenes::unify(settings, found, &sources, request, gathered);
    }
    loop {
        if sources.is_empty() {
            skipped.push(Problem::new("the inputs", "not one of them can be used"));
            return Err(Failure::Problems(skipped));
        }
        let (unified, notes) = unify(&sources, &request);
        match unified {
            Ok(mosaic) => {
                warnings.extend(notes);
                let used = sources.iter().map(|source| source.name.to_string()).collect();
                return Ok(Gathered { mosaic, used, skipped, warnings });
            }
            Err(conflicts) => {
                let name = |source: &Arc<Source>| source.name.to_string();
                leave_out(settings, &mut sources, name, conflicts, &mut skipped)?;
            }
        }
    }
}

/// With `--on-error skip`, takes the sources away without which the mosaic could be made; otherwise fails.
pub fn leave_out<T>(
    settings: &Settings,
    sources: &mut Vec<T>,
    name: impl Fn(&T) -> String,
    conflicts: Vec<Conflict>,
    skipped: &mut Vec<Problem>,
) -> Result<(), Failure> {
    let helpless = conflicts.iter().any(|conflict| conflict.sources.is_empty());
    if settings.on_error == OnError::Fail || helpless {
        return Err(Failure::Problems(conflicts.into_iter().map(|conflict| conflict.problem).collect()));
    }
    let mut out: Vec<usize> = Vec::new();
    for Conflict { problem, sources: without } in conflicts {
        for index in without.into_iter().filter(|index| !out.contains(index)).collect::<Vec<_>>() {
            let message = problem.message.lines().next().unwrap_or_default().trim_end_matches(':');
            skipped.push(Problem::new(name(&sources[index]), message));
            out.push(index);
        }
    }
    let mut index = 0;
    sources.retain(|_| {
        index += 1;
        !out.contains(&(index - 1))
    });
    Ok(())
}

fn request(settings: &Settings, wkt: Option<String>, stack: Option<StackRequest>) -> Request {
    Request {
        reader: settings.reader,
        method: method::alike(&settings.method),
        method_name: settings.method.to_string(),
        stack,
        derive: DeriveRequest::default(),
        band_names: Vec::new(),
        wkt,
        resolution: settings.resolution,
        bounds: settings.bounds,
        align: settings.align,
        resampling: settings.resampling,
        bands: settings.bands.clone(),
        pixel_type: settings.dtype,
        source_nodata: settings.src_nodata,
        nodata: settings.nodata,
    }
}

/// Inspects all inputs: the first by itself, so that the others can share with it what they have in common.
fn inspect_all(
    names: &[String],
    request: &Request,
    (threads, trust): (usize, Trust),
    warnings: &mut Vec<String>,
) -> Result<(Vec<Arc<Source>>, Vec<Problem>), Failure> {
    let (target, stop) = (request.wkt.as_deref(), trust.patience.stop);
    let mut first = None;
    let mut results = Vec::with_capacity(names.len());
    while first.is_none() && results.len() < names.len() {
        let result = inspect(&names[results.len()], target, None, trust);
        first = result.as_ref().ok().map(|(source, _)| Model::of(source.clone()));
        results.push(Some(result));
    }
    let rest = &names[results.len()..];
    let inspect_one = |index: usize| {
        (!stop.load(Ordering::Relaxed)).then(|| inspect(&rest[index], target, first.as_ref(), trust))
    };
    let threads = trust.inspector.map_or(threads, |inspector| inspector.at_once(threads));
    results.extend(in_parallel(threads, rest.len(), inspect_one)?);
    if stop.load(Ordering::Relaxed) {
        // What was given up for that is no problem.
        return Err(Failure::Interrupted);
    }
    let (mut sources, mut problems) = (Vec::with_capacity(names.len()), Vec::new());
    for (result, name) in results.into_iter().zip(names) {
        match result {
            None => return Err(Failure::Interrupted),
            Some(Ok((source, notes))) => {
                sources.push(Arc::new(source));
                warnings.extend(notes.into_iter().map(|note| format!("{name}: {note}")));
            }
            Some(Err(problem)) => problems.push(problem),
        }
    }
    Ok((sources, problems))
}
