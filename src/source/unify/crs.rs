//! The mosaic's CRS, and sources that do not lie straight in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Unifier;
use super::names::{count_of, some_names};
use crate::source::{CrsGroups, Problem, Source};

impl Unifier<'_> {
    /// The mosaic's CRS, and for each source whether it has it.
    pub(super) fn choose_crs(&mut self) -> (Arc<str>, Vec<bool>) {
        let mut groups = CrsGroups::default();
        let target = self.request.wkt.as_deref().map(Arc::from);
        let wkt: Arc<str> = target.clone().unwrap_or_else(|| Arc::clone(&self.sources[0].wkt));
        let wanted = groups.group(&wkt);
        let group_of: Vec<usize> = self.sources.iter().map(|source| groups.group(&source.wkt)).collect();
        if target.is_some() {
            self.refuse_sources_without_crs();
        } else if group_of.iter().any(|&group| group != wanted) {
            self.refuse_mixed_crs(&groups, &group_of, wanted);
        }
        (wkt, group_of.iter().map(|&group| group == wanted).collect())
    }

    fn refuse_sources_without_crs(&mut self) {
        for (index, source) in self.sources.iter().enumerate().filter(|(_, source)| source.wkt.is_empty()) {
            let problem = Problem::new(&*source.name, "has no CRS and cannot be warped")
                .with_hint("give it one with gdal_edit.py -a_srs, or leave out --crs");
            self.conflict(problem, vec![index]);
        }
    }

    fn refuse_mixed_crs(&mut self, groups: &CrsGroups, group_of: &[usize], wanted: usize) {
        let mut members = BTreeMap::<usize, Vec<usize>>::new();
        for (index, &group) in group_of.iter().enumerate() {
            members.entry(group).or_default().push(index);
        }
        let lines = members.iter().map(|(&group, indices)| {
            format!("\n  {}: {}", groups.name(group), some_names(self.sources, indices))
        });
        let message =
            format!("the inputs have {} different CRSs:{}", members.len(), lines.collect::<String>());
        let problem = Problem::new(count_of(self.sources.len()), message)
            .with_hint("name the mosaic's CRS with --crs, and the others are warped to it");
        let others = (0..group_of.len()).filter(|&index| group_of[index] != wanted).collect();
        self.conflict(problem, others);
    }

    /// A rotated source can only be warped.
    pub(super) fn check_orientation(&mut self) {
        if self.request.wkt.is_some() {
            return;
        }
        let rotated = |(_, source): &(usize, &Arc<Source>)| source.geotransform.is_rotated();
        for (index, source) in self.sources.iter().enumerate().filter(rotated) {
            let problem = Problem::new(&*source.name, "is rotated against its CRS's axes")
                .with_hint("name the mosaic's CRS with --crs, and it is warped");
            self.conflict(problem, vec![index]);
        }
    }
}
