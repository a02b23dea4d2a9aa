//! `ID#1`: where `LocalFileSystem` puts the bytes of an upload until it is complete. A killed process leaves the file there.

use std::io::ErrorKind;
use std::path::Path;

use futures::stream::{self, BoxStream, StreamExt as _};
use object_store::Result as StoreResult;
use object_store::path::Path as ObjectPath;

use super::local::failed;
use crate::Id;

pub(crate) fn is_one(at: &ObjectPath) -> bool {
    at.filename().is_some_and(is_name)
}

/// The id of a file and a number; anything else is not ours to remove.
fn is_name(name: &str) -> bool {
    name.split_once('#').is_some_and(|(id, number)| {
        (id.parse::<Id>().is_ok() || id == "config")
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

pub(super) fn remove(root: &Path, at: ObjectPath) -> BoxStream<'static, StoreResult<ObjectPath>> {
    let path = root.join(at.as_ref());
    let remove = async move {
        match tokio::fs::remove_file(path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(at),
        }
    };
    stream::once(remove).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_unfinished_uploads_are_leftovers() {
        let id = "5".repeat(64);
        for (name, expected) in [
            (format!("{id}#1"), true),
            (format!("{id}#22"), true),
            ("config#1".to_owned(), true),
            (id.clone(), false),
            (format!("{id}#"), false),
            (format!("{id}#a"), false),
            ("notes#1".to_owned(), false),
        ] {
            assert_eq!(is_name(&name), expected, "{name}");
        }
    }
}
