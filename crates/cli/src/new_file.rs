//! Files that commands write: under their name when they are whole, and in the place of nothing that nobody named for it.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, of_a_file};
use crate::output::Output;

/// What stands for standard output in the place of a file.
const STANDARD_OUTPUT: &str = "-";

/// Whether somebody means standard output. A file of that name is `./-`.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    path == Path::new(STANDARD_OUTPUT)
}

/// A file that lies beside its place, under a name that nobody can foresee, until [`NewFile::finish`]. Dropped before that, it leaves nothing.
pub(crate) struct NewFile {
    part: NamedTempFile,
    path: PathBuf,
    replace: bool,
}

impl NewFile {
    /// What everybody may read whom the umask lets. With `replace` it takes the place of a regular file, and of nothing else.
    pub(crate) fn shared(path: &Path, replace: bool) -> Result<Self, Failure> {
        Self::with_mode(path, 0o666, replace)
    }

    /// What only its owner can read; nothing is ever replaced.
    pub(crate) fn private(path: &Path) -> Result<Self, Failure> {
        Self::with_mode(path, 0o600, false)
    }

    fn with_mode(path: &Path, mode: u32, replace: bool) -> Result<Self, Failure> {
        if is_standard_output(path) {
            return Err(Failure::usage(
                "this cannot be written to standard output",
                "give a file; one with the name - is ./-",
            ));
        }
        refuse_taken(path, replace)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let part = tempfile::Builder::new()
            .prefix(".keepward-")
            .suffix(".part")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)
            .map_err(|error| unwritable(path, &error))?;
        Ok(Self {
            part,
            path: path.to_owned(),
            replace,
        })
    }

    /// For what writes into it beside this; nothing that is written after [`NewFile::finish`] counts.
    pub(crate) fn handle(&self) -> Result<File, Failure> {
        let handle = self.part.as_file().try_clone();
        handle.map_err(|error| unwritable(&self.path, &error))
    }

    /// What a [`NewFile::handle`] of it failed with.
    pub(crate) fn unwritable(&self, error: &std::io::Error) -> Failure {
        unwritable(&self.path, error)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.part.write_all(bytes);
        written.map_err(|error| unwritable(&self.path, &error))
    }

    /// Gives it its name, and says how large it is. What came there meanwhile stays.
    pub(crate) fn finish(self) -> Result<u64, Failure> {
        let Self {
            part,
            path,
            replace,
        } = self;
        let size = part.as_file().sync_all();
        let size = size.and_then(|()| part.as_file().metadata());
        let size = size.map_err(|error| unwritable(&path, &error))?.len();
        refuse_taken(&path, replace)?;
        let named = if replace {
            part.persist(&path)
        } else {
            part.persist_noclobber(&path)
        };
        match named {
            Ok(_) => Ok(size),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(taken(&path, "exists"))
            }
            Err(error) => Err(unwritable(&path, &error.error)),
        }
    }
}

/// A whole file that only its owner can read; an existing one is never replaced.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = NewFile::private(path)?;
    file.write(bytes)?;
    file.finish().map(drop)
}

/// Where a secret goes that is told once: a private file, or standard output.
pub(crate) struct Keeping(Option<NewFile>);

impl Keeping {
    /// Before the secret is made: what cannot be kept would be lost.
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        if is_standard_output(path) {
            return Ok(Self(None));
        }
        NewFile::private(path).map(|file| Self(Some(file)))
    }

    /// Writes the secret as a line. Answers whether it is in a file: nothing else belongs on a standard output that got it.
    pub(crate) fn keep(self, secret: &str, output: &Output) -> Result<bool, Failure> {
        let line = format!("{secret}\n");
        let Some(mut file) = self.0 else {
            output.data(line.as_bytes());
            return Ok(false);
        };
        file.write(line.as_bytes())?;
        file.finish()?;
        Ok(true)
    }
}

/// A link is not followed: what it leads to was not named.
fn refuse_taken(path: &Path, replace: bool) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unwritable(path, &error)),
        Ok(found) if replace && found.is_file() => Ok(()),
        Ok(_) if replace => Err(taken(path, "exists and is no regular file")),
        Ok(_) => Err(taken(path, "exists")),
    }
}

fn taken(path: &Path, why: &str) -> Failure {
    Failure::coded("file-exists", format!("{} {why}", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot write {}: {error}", path.display());
    Failure::coded(of_a_file(error), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn written(path: &Path, replace: bool) -> Result<u64, Failure> {
        let mut file = NewFile::shared(path, replace)?;
        file.write(b"new")?;
        file.finish()
    }

    fn code(result: Result<u64, Failure>) -> String {
        result.unwrap_err().code.unwrap()
    }

    #[test]
    fn what_is_there_stays_unless_it_is_a_regular_file_that_may_go() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("precious"), "old").unwrap();
        std::os::unix::fs::symlink(at("precious"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling")).unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        for name in ["precious", "link", "dangling", "folder"] {
            assert_eq!(code(written(&at(name), false)), "file-exists", "{name}");
        }
        for name in ["link", "dangling", "folder"] {
            assert_eq!(code(written(&at(name), true)), "file-exists", "{name}");
        }
        assert_eq!(std::fs::read(at("precious")).unwrap(), b"old");
        assert!(!at("nowhere").exists());
        assert_eq!(written(&at("precious"), true).unwrap(), 3);
        assert_eq!(written(&at("fresh"), false).unwrap(), 3);
        assert_eq!(std::fs::read(at("precious")).unwrap(), b"new");
        assert_eq!(code(written(&at("no/folder/here"), false)), "file-failed");
    }

    #[test]
    fn what_came_meanwhile_stays_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut file = NewFile::private(&path).unwrap();
        file.write(b"new").unwrap();
        std::fs::write(&path, "old").unwrap();
        assert_eq!(code(file.finish()), "file-exists");
        drop(NewFile::private(&folder.path().join("given up")).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_file_is_called_like_standard_output_by_accident() {
        for path in ["-", "./-", "out/-"] {
            assert_eq!(is_standard_output(Path::new(path)), path == "-");
        }
        let refused = write_private(Path::new("-"), b"s").unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        assert!(!Path::new("-").exists());
    }

    #[test]
    fn secrets_are_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write_private(&path, b"s").unwrap();
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
