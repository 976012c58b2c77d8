//! Flags without effect. In a settings file or the environment the same may be meant for other jobs.

use super::asked::Asked;
use super::{Format, Origin, Problem, Settings, Stage};
use crate::plan::Overviews;

/// Adds flags that change nothing to the problems, and folders that are none.
pub(super) fn refuse(asked: &mut Asked, settings: &Settings) {
    let overviews = settings.overviews.as_ref();
    let no_overviews = overviews.map_or(settings.format == Format::Gtiff, |which| *which == Overviews::None);
    let no_formulas = settings.expression_stage == Stage::Before && settings.expressions.is_empty();
    let without = [
        ("expr-stage", no_formulas, "formulas", "add --expr NAME=FORMULA"),
        ("overview-resampling", no_overviews, "overviews", "add --overviews auto or --format cog"),
    ];
    for (key, idle, what, hint) in without {
        if idle && asked.origin(key) == Origin::Flag {
            let message = format!("has no effect without {what}");
            asked.problems.push(Problem::new(message).hint(hint).at(&asked.place(key)));
        }
    }
    if asked.origin("allow-root") == Origin::Flag {
        for root in settings.allow_roots.iter().filter(|root| !root.is_dir()) {
            let message = format!("'{}' is no folder", root.display());
            asked.problems.push(Problem::new(message).at(&asked.place("allow-root")));
        }
    }
}
