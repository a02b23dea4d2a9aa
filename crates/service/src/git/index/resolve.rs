//! The second pass over a pack: objects that are told as deltas.

use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use gix_object::Kind;

use super::inflate::Inflater;
use super::scan::{Entry, Scanned, name};
use super::{Failure, Limits, delta, is_stopped};
use crate::git::Oid;
use crate::git::closure::Mentions;

/// An object that deltas are applied to; it lives as long as some of them wait.
struct Base {
    kind: Kind,
    content: Vec<u8>,
}

struct Resolver<'a> {
    limits: Limits,
    pack: &'a [u8],
    scanned: Scanned,
    /// Deltas that wait, with their base. The last one is next, so that bases do not pile up.
    waiting: Vec<(u32, Rc<Base>)>,
    /// Of all living bases.
    bytes: usize,
}

/// Gives all entries with their ids.
pub(super) fn resolve(
    limits: Limits,
    pack: &[u8],
    scanned: Scanned,
    mentions: &mut Mentions,
    interrupt: &AtomicBool,
) -> Result<Vec<Entry>, Failure> {
    let mut resolver = Resolver {
        limits,
        pack,
        scanned,
        waiting: Vec::new(),
        bytes: 0,
    };
    let mut inflater = Inflater::default();
    for position in 0..resolver.scanned.entries.len() as u32 {
        let entry = resolver.scanned.entries[position as usize];
        let Some((kind, id)) = entry
            .found
            .filter(|(_, id)| resolver.has_deltas(position, id))
        else {
            continue;
        };
        let mut content = Vec::new();
        inflater.unpack(entry.data(pack), entry.size, &mut content)?;
        resolver.adopt(position, id, Base { kind, content })?;
        resolver.drain(&mut inflater, mentions, interrupt)?;
    }
    resolver.finish()
}

impl Resolver<'_> {
    fn by_offset(&self, base: u32) -> &[(u32, u32)] {
        let all = &self.scanned.by_offset;
        let start = all.partition_point(|(other, _)| *other < base);
        let count = all[start..]
            .iter()
            .take_while(|(other, _)| *other == base)
            .count();
        &all[start..start + count]
    }

    fn by_id(&self, base: &Oid) -> &[(Oid, u32)] {
        let all = &self.scanned.by_id;
        let start = all.partition_point(|(other, _)| other < base);
        let count = all[start..]
            .iter()
            .take_while(|(other, _)| other == base)
            .count();
        &all[start..start + count]
    }

    fn has_deltas(&self, position: u32, id: &Oid) -> bool {
        !self.by_offset(position).is_empty()
            || self.by_id(id).iter().any(|(_, delta)| self.is_open(*delta))
    }

    /// A pack may hold an object twice, and its deltas are still made once.
    fn is_open(&self, delta: u32) -> bool {
        self.scanned.entries[delta as usize].found.is_none()
    }

    /// Lets all deltas of a base wait for it.
    fn adopt(&mut self, position: u32, id: Oid, base: Base) -> Result<(), Failure> {
        let deltas: Vec<u32> = self
            .by_offset(position)
            .iter()
            .map(|(_, delta)| *delta)
            .chain(self.by_id(&id).iter().map(|(_, delta)| *delta))
            .filter(|delta| self.is_open(*delta))
            .collect();
        if deltas.is_empty() {
            return Ok(());
        }
        self.bytes += base.content.len();
        if self.bytes > self.limits.base_bytes {
            return Err(Failure::Limit);
        }
        let base = Rc::new(base);
        self.waiting
            .extend(deltas.into_iter().map(|delta| (delta, Rc::clone(&base))));
        Ok(())
    }

    fn drain(
        &mut self,
        inflater: &mut Inflater,
        mentions: &mut Mentions,
        interrupt: &AtomicBool,
    ) -> Result<(), Failure> {
        let mut told = Vec::new();
        let mut content = Vec::new();
        while let Some((position, base)) = self.waiting.pop() {
            is_stopped(interrupt)?;
            let entry = self.scanned.entries[position as usize];
            inflater.unpack(entry.data(self.pack), entry.size, &mut told)?;
            if delta::result_size(&told).is_some_and(|size| size > self.limits.object_bytes) {
                return Err(Failure::Limit);
            }
            delta::apply(&base.content, &told, self.limits.object_bytes, &mut content)
                .ok_or(Failure::Damaged("a delta does not fit its base"))?;
            let kind = base.kind;
            if let Some(base) = Rc::into_inner(base) {
                self.bytes -= base.content.len();
            }
            let found = name(kind, &content, mentions)?;
            self.scanned.entries[position as usize].found = Some(found);
            if self.has_deltas(position, &found.1) {
                self.adopt(
                    position,
                    found.1,
                    Base {
                        kind,
                        content: std::mem::take(&mut content),
                    },
                )?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Vec<Entry>, Failure> {
        let open = self
            .scanned
            .entries
            .iter()
            .filter(|entry| entry.found.is_none())
            .count();
        if open == 0 {
            return Ok(self.scanned.entries);
        }
        let lost = self
            .scanned
            .by_id
            .iter()
            .find(|(_, delta)| self.is_open(*delta));
        let lost = lost.map(|(base, _)| base.to_string()).unwrap_or_default();
        Err(Failure::Incomplete(format!(
            "{open} of its objects are told as differences from others that are not in it, {lost} among them"
        )))
    }
}
