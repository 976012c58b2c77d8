//! Coordinate reference systems: which of them are the same, however they are spelled.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use gdal::spatial_ref::SpatialRef;

use super::trap::checked;

/// Texts of the same CRS, grouped.
#[derive(Default)]
pub struct CrsGroups {
    by_text: HashMap<Arc<str>, usize>,
    representatives: Vec<(String, Option<SpatialRef>)>,
}

impl CrsGroups {
    /// The group's number for a CRS text; a new one when no text before meant the same CRS.
    pub fn group(&mut self, wkt: &Arc<str>) -> usize {
        if let Some(&group) = self.by_text.get(wkt) {
            return group;
        }
        let crs = SpatialRef::from_wkt(wkt).ok().filter(|_| !wkt.is_empty());
        let same = |(_, other): &(String, Option<SpatialRef>)| match (other, &crs) {
            (Some(a), Some(b)) => a == b,
            (None, None) => true,
            _ => false,
        };
        let group = self.representatives.iter().position(same).unwrap_or_else(|| {
            self.representatives.push((wkt.to_string(), crs.clone()));
            self.representatives.len() - 1
        });
        self.by_text.insert(Arc::clone(wkt), group);
        group
    }

    /// A short name of a group's CRS: its authority's code, or its own name.
    pub fn name(&self, group: usize) -> String {
        match &self.representatives[group].1 {
            None => "no CRS".into(),
            Some(crs) => {
                let name = crs.name().unwrap_or_else(|| "unnamed CRS".into());
                crs.authority().map(|code| format!("{code} ({name})")).unwrap_or(name)
            }
        }
    }
}

/// The WKT of a CRS that a user names: `EPSG:n`, WKT, PROJ.
///
/// # Errors
/// When GDAL does not understand it.
pub fn resolve(definition: &str) -> Result<String> {
    checked("understand the CRS", || Ok(SpatialRef::from_definition(definition)?.to_wkt()?))
        .with_context(|| format!("'{definition}' is no CRS that GDAL knows (EPSG:n, WKT or PROJ)"))
}

/// Whether two texts mean the same CRS; no CRS is the same as no CRS.
pub fn is_same(a: &str, b: &str) -> bool {
    let crs = |text: &str| SpatialRef::from_wkt(text).ok().filter(|_| !text.is_empty());
    a == b || matches!((crs(a), crs(b)), (Some(a), Some(b)) if a == b)
}
