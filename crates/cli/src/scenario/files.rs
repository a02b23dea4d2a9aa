//! The folder that a scenario works in, and folders compared byte for byte.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::failure::Failure;
use crate::new_file::write_private;

/// A folder that stays when the user named it, and is removed otherwise.
pub(crate) struct Folder {
    path: PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Folder {
    /// Uses the empty or new folder `wanted`, or a temporary one.
    pub(crate) fn new(wanted: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = wanted else {
            let temporary = tempfile::Builder::new()
                .prefix("keepward-")
                .tempdir()
                .context("cannot make a temporary folder")?;
            return Ok(Self {
                path: temporary.path().to_owned(),
                temporary: Some(temporary),
            });
        };
        let context = || format!("cannot use the folder {}", path.display());
        std::fs::create_dir_all(path).with_context(context)?;
        if std::fs::read_dir(path)
            .with_context(context)?
            .next()
            .is_some()
        {
            return Err(Failure::usage(
                format!("the folder {} is not empty", path.display()),
                "give --dir a new folder",
            ));
        }
        let path = std::fs::canonicalize(path).with_context(context)?;
        Ok(Self {
            path,
            temporary: None,
        })
    }

    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Keeps these of the temporary folder and removes the rest; a folder of the user's stays whole.
    pub(crate) fn keep_only(mut self, names: &[&str]) -> Result<(), Failure> {
        let Some(temporary) = self.temporary.take() else {
            return Ok(());
        };
        let path = temporary.keep();
        let context = || format!("cannot clean up {}", path.display());
        for entry in std::fs::read_dir(&path).with_context(context)? {
            let entry = entry.with_context(context)?;
            if names.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type().with_context(context)?.is_dir() {
                std::fs::remove_dir_all(entry.path()).with_context(context)?;
            } else {
                std::fs::remove_file(entry.path()).with_context(context)?;
            }
        }
        Ok(())
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The path of something in the folder, as an argument.
    pub(crate) fn argument(&self, name: &str) -> String {
        self.join(name).to_string_lossy().into_owned()
    }

    /// Writes a secret that only the user can read; returns its path as an argument.
    pub(crate) fn secret(&self, name: &str, secret: &str) -> Result<String, Failure> {
        let path = self.join(name);
        write_private(&path, format!("{secret}\n").as_bytes())?;
        Ok(self.argument(name))
    }
}

/// Paths of files that are missing on one side or whose bytes differ; `ignored` are names of files.
pub(crate) fn differing(
    one: &Path,
    other: &Path,
    ignored: &[&str],
) -> Result<Vec<String>, Failure> {
    let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
    collect(one, "", &mut left)?;
    collect(other, "", &mut right)?;
    let mut differing = Vec::new();
    let skip = |name: &str| {
        name.rsplit('/')
            .next()
            .is_some_and(|last| ignored.contains(&last))
    };
    for (name, path) in left.iter().filter(|(name, _)| !skip(name)) {
        let same = match right.get(name) {
            Some(twin) => read(path)? == read(twin)?,
            None => false,
        };
        if !same {
            differing.push(name.clone());
        }
    }
    differing.extend(
        right
            .keys()
            .filter(|name| !left.contains_key(*name) && !skip(name))
            .cloned(),
    );
    Ok(differing)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    Ok(std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
}

fn collect(
    folder: &Path,
    prefix: &str,
    into: &mut BTreeMap<String, PathBuf>,
) -> Result<(), Failure> {
    let context = || format!("cannot read the folder {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().with_context(context)?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), into)?;
        } else {
            into.insert(name, entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_differ_in_bytes_and_in_files() {
        let folder = Folder::new(None).unwrap();
        for (name, text) in [
            ("a/x/same", "1"),
            ("a/x/other", "2"),
            ("a/gone", "3"),
            ("a/source.json", "4"),
            ("b/x/same", "1"),
            ("b/x/other", "5"),
            ("b/new", "6"),
        ] {
            std::fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
            std::fs::write(folder.join(name), text).unwrap();
        }
        let names = differing(&folder.join("a"), &folder.join("b"), &["source.json"]).unwrap();
        assert_eq!(names, ["gone", "x/other", "new"]);
        assert!(
            differing(&folder.join("a"), &folder.join("a"), &[])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn what_is_kept_of_a_temporary_folder_stays() {
        let folder = Folder::new(None).unwrap();
        let (kept, gone) = (folder.join("kept"), folder.join("gone"));
        std::fs::create_dir_all(gone.join("x")).unwrap();
        std::fs::write(&kept, "1").unwrap();
        folder.keep_only(&["kept"]).unwrap();
        assert!(kept.exists() && !gone.exists());
        std::fs::remove_dir_all(kept.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_with_something_in_it_is_refused() {
        let folder = Folder::new(None).unwrap();
        assert!(Folder::new(Some(&folder.join("new"))).is_ok());
        assert!(Folder::new(Some(&folder.join("."))).is_err());
    }
}
