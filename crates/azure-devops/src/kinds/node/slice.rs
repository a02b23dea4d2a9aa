//! A tree cut into its nodes: each node's members as they were sent, without those of its children.

use serde_json::value::RawValue;
use service::{Error, Result};

use super::{AREA, ITERATION};
use crate::raw::Members;

/// One node of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) kind: &'static str,
    pub(crate) id: u64,
    pub(crate) name: String,
    /// `\Project\Area\Parent\Name`.
    pub(crate) path: String,
    pub(crate) document: String,
}

#[derive(Default)]
pub(super) struct Slices {
    pub(super) all: Vec<Slice>,
    /// Nodes whose children were too deep for the answer.
    pub(super) deeper: Vec<u64>,
}

impl Slices {
    /// Cuts whole trees.
    pub(super) fn take(&mut self, roots: &[&RawValue]) -> Result<()> {
        let mut open: Vec<&RawValue> = roots.iter().rev().copied().collect();
        while let Some(raw) = open.pop() {
            let members = members(raw)?;
            self.all.push(slice(&members)?);
            self.open_children(&members, &mut open)?;
        }
        Ok(())
    }

    /// Cuts what lies below nodes that were taken before.
    pub(super) fn take_children(&mut self, nodes: &[&RawValue]) -> Result<()> {
        for raw in nodes.iter().filter(|raw| raw.get() != "null") {
            let mut children = Vec::new();
            if let Some(list) = members(raw)?.get("children") {
                children = serde_json::from_str(list.get()).map_err(misread)?;
            }
            self.take(&children)?;
        }
        Ok(())
    }

    fn open_children<'a>(
        &mut self,
        members: &Members<'a>,
        open: &mut Vec<&'a RawValue>,
    ) -> Result<()> {
        if let Some(list) = members.get("children").filter(|list| list.get() != "null") {
            let children: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(misread)?;
            open.extend(children.into_iter().rev());
        } else if members
            .get("hasChildren")
            .is_some_and(|has| has.get() == "true")
        {
            self.deeper.push(id(members)?);
        }
        Ok(())
    }
}

fn members(raw: &RawValue) -> Result<Members<'_>> {
    serde_json::from_str(raw.get()).map_err(misread)
}

fn id(members: &Members<'_>) -> Result<u64> {
    members
        .get("id")
        .and_then(|id| id.get().parse().ok())
        .ok_or_else(|| Error::malformed("a classification node has no id"))
}

fn slice(members: &Members<'_>) -> Result<Slice> {
    let kind = match members.text("structureType").as_deref() {
        Some("area") => AREA,
        Some("iteration") => ITERATION,
        other => {
            return Err(Error::malformed(format!(
                "a classification node has the type {}",
                other.unwrap_or("of none")
            )));
        }
    };
    let missing = |name: &str| Error::malformed(format!("a classification node has no {name}"));
    Ok(Slice {
        kind,
        id: id(members)?,
        name: members.text("name").ok_or_else(|| missing("name"))?,
        path: members.text("path").ok_or_else(|| missing("path"))?,
        document: members.without("children"),
    })
}

fn misread(error: serde_json::Error) -> Error {
    Error::malformed(format!("classification nodes are not understood: {error}")).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn parents_come_before_children_and_keep_their_bytes() {
        let tree = raw(
            r#"{"id":1,"identifier":"a","name":"P","structureType":"area","hasChildren":true,"children":[
                {"id":2,"name":"\u00fc","structureType":"area","hasChildren":true,"children":[{"id":3,"name":"C","structureType":"area","hasChildren":true,"path":"\\P\\Area\\ü\\C"}],"path":"\\P\\Area\\ü"},
                {"id":4,"name":"D","structureType":"area","hasChildren":false,"attributes":{"x": 1.0},"path":"\\P\\Area\\D"}],"path":"\\P\\Area","url":"u"}"#,
        );
        let mut slices = Slices::default();
        slices.take(&[&tree]).unwrap();
        let ids: Vec<u64> = slices.all.iter().map(|slice| slice.id).collect();
        assert_eq!(ids, [1, 2, 3, 4]);
        assert_eq!(
            slices.all[0].document,
            r#"{"id":1,"identifier":"a","name":"P","structureType":"area","hasChildren":true,"path":"\\P\\Area","url":"u"}"#
        );
        assert_eq!(slices.all[1].name, "ü");
        assert!(
            slices.all[1].document.contains(r"\u00fc"),
            "escapes stay as they were sent"
        );
        assert!(slices.all[3].document.contains(r#"{"x": 1.0}"#));
        assert_eq!(slices.deeper, [3]);

        let answer = raw(
            r#"{"id":3,"structureType":"area","name":"C","path":"\\P\\Area\\ü\\C","children":[{"id":5,"name":"E","structureType":"area","hasChildren":false,"path":"\\P\\Area\\ü\\C\\E"}]}"#,
        );
        slices.take_children(&[&answer]).unwrap();
        assert_eq!(slices.all.last().unwrap().id, 5);
        assert_eq!(slices.all.len(), 5);
    }

    #[test]
    fn a_node_without_an_id_is_an_error() {
        let mut slices = Slices::default();
        assert_eq!(
            slices
                .take(&[&raw(r#"{"name":"P","structureType":"area","path":"x"}"#)])
                .unwrap_err()
                .code,
            "answer-not-understood"
        );
    }
}
