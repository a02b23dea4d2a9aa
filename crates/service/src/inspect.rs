//! Verifying what is stored: what a kind says about an item of a snapshot, without asking any service.

use std::path::Path;

use crate::Stored;

/// What stored items are looked at with.
pub struct Inspect<'a> {
    pub stored: &'a dyn Stored,
    /// The source as `source.json` names it: the organization, lower case.
    pub source: &'a str,
    /// A private folder for what does not fit into memory (packs); others work in it at the same time, so make one of your own in it.
    pub work: &'a Path,
}

/// What looking at one item came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Its id as its own document says it; `None` when documents of the kind do not tell.
    pub id: Option<String>,
    /// Other words by which items refer to it: a project's name, an area's path. Compared without regard to case.
    pub aliases: Vec<String>,
    pub references: Vec<Reference>,
    pub faults: Vec<Fault>,
}

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    Damage,
    /// Something is missing: damage, unless an issue of the backup says that the service did not give it.
    Gap,
    /// Worth knowing, and as the service gave it.
    Note,
}

/// Something wrong within an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In [`model::code::CODES`].
    pub code: &'static str,
    pub gravity: Gravity,
    /// Relative to the item's folder; empty for the item as a whole.
    pub part: String,
    pub message: String,
}

/// Whether what an item refers to has to be in the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// As people link things: it may be gone or elsewhere.
    Link,
    /// By a name that may have changed since.
    Name,
    /// It belongs to it, or is its content.
    Need,
}

/// What an item refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    pub kind: &'static str,
    /// An id of that kind in any scope, or one of its aliases.
    pub to: String,
    pub tie: Tie,
    /// The part that says so, relative to the item's folder.
    pub part: String,
}

impl Inspection {
    pub fn damage(&mut self, code: &'static str, part: &str, message: impl Into<String>) {
        self.fault(code, Gravity::Damage, part, message);
    }

    pub fn gap(&mut self, code: &'static str, part: &str, message: impl Into<String>) {
        self.fault(code, Gravity::Gap, part, message);
    }

    pub fn note(&mut self, code: &'static str, part: &str, message: impl Into<String>) {
        self.fault(code, Gravity::Note, part, message);
    }

    fn fault(
        &mut self,
        code: &'static str,
        gravity: Gravity,
        part: &str,
        message: impl Into<String>,
    ) {
        self.faults.push(Fault {
            code,
            gravity,
            part: part.to_owned(),
            message: message.into(),
        });
    }

    /// Refers to an item, once: the same said again changes nothing.
    pub fn refer(&mut self, kind: &'static str, to: impl Into<String>, tie: Tie, part: &str) {
        let to = to.into();
        let known = self
            .references
            .iter_mut()
            .find(|known| known.kind == kind && known.to.eq_ignore_ascii_case(&to));
        match known {
            Some(known) => known.tie = known.tie.max(tie),
            None => self.references.push(Reference {
                kind,
                to,
                tie,
                part: part.to_owned(),
            }),
        }
    }
}
