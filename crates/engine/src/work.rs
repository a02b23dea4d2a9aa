//! Folders for what is read and written on the way: contents lie in them in clear.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;

/// A folder in `place` that nobody else on the machine may look into. It is removed when it is dropped.
pub fn private(place: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix("keepward-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_may_look_into_a_folder_of_a_run() {
        let place = tempfile::tempdir().unwrap();
        let folder = private(place.path()).unwrap();
        let mode = std::fs::metadata(folder.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
