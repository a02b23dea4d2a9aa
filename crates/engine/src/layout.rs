//! Where items lie in a snapshot: item → path and path → item, from the kinds' layouts alone.

use model::ItemRef;
use service::{Kind, KindSpec, Layout, Service, TextOf};

/// The name of the file that describes a snapshot, at its top.
pub(crate) const SOURCE_FILE: &str = "source.json";

/// A place in a snapshot, read back from its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub item: ItemRef,
    /// The file below the item's folder; empty for the folder itself.
    pub part: String,
}

/// The layouts of all kinds of one service.
#[derive(Clone, Copy)]
pub struct Layouts {
    service: &'static Service,
}

impl Layouts {
    pub fn new(service: &'static Service) -> Self {
        Self { service }
    }

    pub fn service(self) -> &'static Service {
        self.service
    }

    /// The folder that holds all items of a kind in a scope; `None` for kinds without folders of their own.
    pub fn folder(self, kind: &str, scope: &str) -> Option<String> {
        let spec = self.service.kind(kind)?.spec();
        let Layout::Item { folder, .. } = spec.layout else {
            return None;
        };
        Some(format!(
            "{}{folder}",
            self.scope_prefix(spec.parent, scope)?
        ))
    }

    /// The folder of an item; `None` for kinds without folders of their own.
    pub fn path(self, item: &ItemRef) -> Option<String> {
        let spec = self.service.kind(&item.kind)?.spec();
        let own = spec.path(&encode(&item.id))?;
        Some(format!(
            "{}{own}",
            self.scope_prefix(spec.parent, &item.scope)?
        ))
    }

    /// The name of the document's file.
    pub fn document(self, kind: &str) -> Option<&'static str> {
        match self.service.kind(kind)?.spec().layout {
            Layout::Item { document, .. } => Some(document),
            Layout::Lines { .. } | Layout::Files { .. } => None,
        }
    }

    /// The files of an item that can be searched, and what of them.
    pub(crate) fn texts(
        self,
        kind: &str,
    ) -> impl Iterator<Item = (&'static str, &'static TextOf)> + use<> {
        let kind = self.service.kind(kind);
        kind.into_iter().flat_map(|kind| kind.spec().texts())
    }

    /// The same of one file.
    pub(crate) fn text(self, kind: &str, part: &str) -> Option<&'static TextOf> {
        let mut texts = self.texts(kind);
        texts.find(|(file, _)| *file == part).map(|(_, text)| text)
    }

    /// What a document says of its project; empty when it says nothing.
    pub(crate) fn project(self, kind: &str, document: &[u8]) -> String {
        let project = self
            .service
            .kind(kind)
            .and_then(|kind| kind.spec().project(document));
        project.unwrap_or_default()
    }

    /// Which item's folder, or which file in it, a path is; `None` for what lies above the items.
    pub fn parse(self, path: &str) -> Option<Place> {
        let parts: Vec<&str> = path.split('/').collect();
        self.parse_below(None, "", &parts)
    }

    /// The kind that counts a part of an item: comments and attachments are kinds of their own within work items.
    pub(crate) fn part_kind(self, owner: &str, part: &str) -> Option<&'static dyn Kind> {
        self.service.kinds.iter().copied().find(|kind| {
            kind.spec().with
                == Some(
                    self.service
                        .kind(owner)
                        .map_or("", |owner| owner.spec().name),
                )
                && match kind.spec().layout {
                    Layout::Lines { part: file } => file == part,
                    Layout::Files { folder } => part
                        .strip_prefix(folder)
                        .is_some_and(|rest| rest.starts_with('/')),
                    Layout::Item { .. } => false,
                }
        })
    }

    /// Whether a folder within an item holds the items of a kind that lives in it.
    pub(crate) fn is_child_folder(self, owner: &str, part: &str) -> bool {
        self.service.kinds.iter().any(|kind| {
            kind.spec().parent == Some(owner)
                && matches!(kind.spec().layout, Layout::Item { folder, .. } if part == folder)
        })
    }

    /// The kind whose items lie at this place within an item of another, in their folder or in one of its groups.
    pub(crate) fn child_at(self, owner: &str, part: &str) -> Option<&'static KindSpec> {
        let first = part.split('/').next();
        let mut specs = self.service.kinds.iter().map(|kind| kind.spec());
        specs.find(|spec| {
            spec.parent == Some(owner)
                && matches!(spec.layout, Layout::Item { folder, .. } if first == Some(folder))
        })
    }

    /// The kinds whose items may lie in a folder, be the folder, or have parts in it, each with their scope; an empty scope stands for all.
    pub(crate) fn kinds_at(self, folder: &str) -> Vec<(&'static KindSpec, String)> {
        let specs = || {
            let specs = self.service.kinds.iter().map(|kind| kind.spec());
            specs.filter(|spec| matches!(spec.layout, Layout::Item { .. }))
        };
        let with_children = |own: &'static KindSpec, scope: String, inner: &str| {
            let children = specs().filter(|spec| spec.parent == Some(own.name));
            let children = children.map(|spec| (spec, inner.to_owned()));
            std::iter::once((own, scope)).chain(children).collect()
        };
        let Some(Place { item, part }) = self.parse(folder) else {
            let top = folder.split('/').next();
            let is_top = |spec: &&KindSpec| {
                spec.parent.is_none()
                    && matches!(spec.layout, Layout::Item { folder, .. } if top == Some(folder))
            };
            let tops = specs().filter(is_top);
            return tops
                .flat_map(|spec| -> Vec<_> { with_children(spec, String::new(), "") })
                .collect();
        };
        let own = specs().find(|spec| spec.name == item.kind);
        match (own, self.child_at(&item.kind, &part)) {
            (Some(own), None) if part.is_empty() => with_children(own, item.scope, &item.id),
            (_, Some(child)) => vec![(child, item.id)],
            (own, None) => own.map(|own| (own, item.scope)).into_iter().collect(),
        }
    }

    /// The kinds whose items are counted by what lies in a folder: those of [`Layouts::kinds_at`], and what comes with them.
    pub(crate) fn counted_at(self, folder: &str) -> Vec<&'static str> {
        let own: Vec<&str> = self
            .kinds_at(folder)
            .iter()
            .map(|(spec, _)| spec.name)
            .collect();
        let specs = self.service.kinds.iter().map(|kind| kind.spec());
        let counted = specs.filter(|spec| {
            own.contains(&spec.name) || spec.with.is_some_and(|with| own.contains(&with))
        });
        counted.map(|spec| spec.name).collect()
    }

    fn scope_prefix(self, parent: Option<&str>, scope: &str) -> Option<String> {
        match parent {
            Some(parent) if !scope.is_empty() => {
                let path = self.path(&ItemRef::new(parent, "", scope))?;
                Some(format!("{path}/"))
            }
            _ => Some(String::new()),
        }
    }

    fn parse_below(
        self,
        parent: Option<&'static str>,
        scope: &str,
        parts: &[&str],
    ) -> Option<Place> {
        for kind in self.service.kinds {
            let spec = kind.spec();
            let Layout::Item { folder, shard, .. } = spec.layout else {
                continue;
            };
            if spec.parent != parent || parts.first() != Some(&folder) {
                continue;
            }
            let skip = if shard.is_some() { 2 } else { 1 };
            let id = decode(parts.get(skip)?);
            let rest = &parts[skip + 1..];
            if scope.is_empty()
                && let Some(child) = self.parse_below(Some(spec.name), &id, rest)
            {
                return Some(child);
            }
            return Some(Place {
                item: ItemRef::new(spec.name, scope, &id),
                part: rest.join("/"),
            });
        }
        None
    }
}

/// Whether a path is that of a folder or of something in it.
pub(crate) fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Ids come from the service: whatever is not plainly safe in a file name is percent-encoded.
fn encode(id: &str) -> String {
    let mut out = String::with_capacity(id.len());
    for (at, byte) in id.bytes().enumerate() {
        let safe =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0);
        if safe {
            out.push(char::from(byte));
        } else {
            out.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
    }
    out
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

fn decode(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| name.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_survive_as_safe_file_names(id in "\\PC{1,40}") {
            let name = encode(&id);
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.%".contains(&byte)));
            prop_assert!(name != "." && name != "..");
            prop_assert_eq!(decode(&name), id);
        }
    }
}
