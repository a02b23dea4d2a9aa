//! All that came out of a run, and the search in it.

use std::path::Path;

use memchr::memmem;

use crate::needles::forms;

/// Everything that was said, sent or written, with the place where it was.
#[derive(Default)]
pub(super) struct Corpus(Vec<(String, Vec<u8>)>);

impl Corpus {
    pub(super) fn add(&mut self, place: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.push((place.into(), bytes.into()));
    }

    /// Every file below a folder but those of this name.
    pub(super) fn add_files(&mut self, folder: &Path, but: &str) {
        let mut open = vec![folder.to_owned()];
        while let Some(at) = open.pop() {
            for entry in std::fs::read_dir(&at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.file_name().unwrap() != but {
                    self.add(path.display().to_string(), std::fs::read(&path).unwrap());
                }
            }
        }
    }

    pub(super) fn len(&self, place: &str) -> usize {
        let parts = self.0.iter().filter(|(name, _)| name.contains(place));
        parts.map(|(_, bytes)| bytes.len()).sum()
    }

    /// Where a secret is, in any of its forms.
    pub(super) fn places(&self, secret: &str) -> Vec<String> {
        let mut places = Vec::new();
        for form in forms(secret) {
            places.extend(self.holding(&form));
        }
        places
    }

    pub(super) fn holding(&self, form: &[u8]) -> Vec<String> {
        let finder = memmem::Finder::new(form);
        let held = self.0.iter().filter_map(|(place, bytes)| {
            let at = finder.find(bytes)?;
            let around = &bytes[at.saturating_sub(60)..(at + form.len() + 20).min(bytes.len())];
            Some(format!("{place}: …{}…", around.escape_ascii()))
        });
        held.collect()
    }

    /// Where something is that looks like a token that Entra ID issued: to be read by services, or to be renewed with.
    pub(super) fn tokens(&self) -> Vec<String> {
        let mut places = self.holding(b"eyJhbGciOi");
        places.extend(self.holding(b"eyJ0eXAiOi"));
        for (place, bytes) in &self.0 {
            let found = memmem::find_iter(bytes, b"1.A").any(|at| {
                let rest = bytes[at + 3..].iter();
                rest.take_while(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
                    .count()
                    >= 52
            });
            if found {
                places.push(place.clone());
            }
        }
        places
    }
}
