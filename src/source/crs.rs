//! Coordinate reference systems: which of them are the same, however they are spelled.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use gdal::spatial_ref::SpatialRef;

use super::trap::checked;
use crate::geometry::Bounds;

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

/// What longitudes repeat after, in the units of a geographic CRS; nothing for any other.
pub fn full_turn(wkt: &str) -> Option<f64> {
    let crs = SpatialRef::from_wkt(wkt).ok().filter(SpatialRef::is_geographic)?;
    Some(std::f64::consts::TAU / crs.angular_units())
}

/// How many metres a unit of a CRS is along its x and y axes, in the middle of `bounds`: on a sphere where the units are
/// degrees, 1 where the CRS does not say.
pub fn metres_per_unit(wkt: &str, bounds: &Bounds) -> (f64, f64) {
    let Ok(crs) = SpatialRef::from_wkt(wkt) else { return (1.0, 1.0) };
    if !crs.is_geographic() {
        return (crs.linear_units(), crs.linear_units());
    }
    const RADIUS: f64 = 6_371_008.8;
    let to_radians = crs.angular_units();
    let middle = (bounds.min_y + bounds.max_y) / 2.0 * to_radians;
    // A degree of longitude is nothing at a pole: there no pixel would be far enough.
    (RADIUS * to_radians * middle.cos().max(1e-3), RADIUS * to_radians)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same CRS in two spellings, and another.
    fn texts() -> [Arc<str>; 3] {
        let of = |definition: &str| -> Arc<str> { resolve(definition).unwrap().into() };
        let utm = of("EPSG:32632");
        let spelled = utm.replace("WGS 84 / UTM zone 32N", "zone 32").into();
        [utm, spelled, of("EPSG:3857")]
    }

    #[test]
    fn texts_of_one_crs_are_one_group() {
        let [utm, spelled, other] = texts();
        let none: Arc<str> = "".into();
        let mut groups = CrsGroups::default();
        let first = groups.group(&utm);
        assert_ne!(utm, spelled);
        assert_eq!(groups.group(&spelled), first);
        let (second, without) = (groups.group(&other), groups.group(&none));
        assert!(first != second && second != without && without != first);
        assert_eq!([groups.group(&utm), groups.group(&other), groups.group(&none)], [first, second, without]);
        assert_eq!(groups.name(first), "EPSG:32632 (WGS 84 / UTM zone 32N)");
        assert_eq!(groups.name(without), "no CRS");
    }

    #[test]
    fn no_crs_is_the_same_as_no_crs_only() {
        let [utm, spelled, other] = texts();
        assert!(is_same("", "") && is_same(&utm, &spelled));
        assert!(!is_same("", &utm) && !is_same(&utm, "") && !is_same(&utm, &other));
        assert!(!is_same("no WKT at all", &utm));
    }

    #[test]
    fn codes_and_projections_are_understood_and_nonsense_is_an_error_that_quotes_it() {
        assert!(is_same(&resolve("EPSG:4326").unwrap(), &resolve("+proj=longlat +datum=WGS84").unwrap()));
        let error = format!("{:#}", resolve("EPSG:nonsense").unwrap_err());
        assert!(error.contains("'EPSG:nonsense'"), "{error}");
    }
}
