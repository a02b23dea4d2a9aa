//! Under which area and iteration a work item is filed.

use super::history::{AREA_PATH, ITERATION_PATH};
use crate::kinds::node::{AREA, ITERATION};
use crate::raw::{Members, Number};

/// The fields that hold the path of a node, and the kind of the node.
pub(super) const PATHS: [(&str, &str); 2] = [(AREA_PATH, AREA), (ITERATION_PATH, ITERATION)];
const AREA_ID: &str = "System.AreaId";
const ITERATION_ID: &str = "System.IterationId";

/// The nodes that a revision is filed under, by their ids: a renamed or moved node stays the same, and makes no revision of what lies in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filed {
    area: Option<String>,
    iteration: Option<String>,
}

/// Under nothing that is known.
impl Default for &Filed {
    fn default() -> Self {
        static NOWHERE: Filed = Filed {
            area: None,
            iteration: None,
        };
        &NOWHERE
    }
}

impl Filed {
    pub(super) fn read(fields: &Members<'_>) -> Self {
        let id = |name: &str| {
            let id: Number = serde_json::from_str(fields.get(name)?.get()).ok()?;
            Some(id.0.to_string())
        };
        Self {
            area: id(AREA_ID),
            iteration: id(ITERATION_ID),
        }
    }

    /// With their kinds.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [(AREA, &self.area), (ITERATION, &self.iteration)];
        all.into_iter()
            .filter_map(|(kind, id)| Some((kind, id.as_deref()?)))
    }

    pub(super) fn node(&self, kind: &str) -> Option<&str> {
        let mut nodes = self.nodes();
        nodes.find_map(|(of, id)| (of == kind).then_some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::super::history::{Replay, Revision};
    use super::*;

    #[test]
    fn a_move_into_a_node_that_has_the_name_of_the_old_one_is_replayed() {
        let revision = |rev: u32, area: u32| {
            let fields = format!(r#"{{"System.AreaPath":"P\\\\North","System.AreaId":{area}}}"#);
            Revision::read(&format!(r#"{{"rev":{rev},"fields":{fields}}}"#)).unwrap()
        };
        let revisions = [revision(1, 5), revision(2, 5), revision(3, 9)];
        let steps = Replay::plan(&revisions, &[]).steps;
        let changed: Vec<bool> = steps
            .iter()
            .map(|step| step.changes.contains_key(AREA_PATH))
            .collect();
        assert_eq!(changed, [true, false, true]);
        assert_eq!(steps[2].filed.node(AREA), Some("9"));
    }
}
