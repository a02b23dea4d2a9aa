//! The next step after an error, where the words for its code do not know enough.

use std::path::Path;

/// After an error of the catalog.
pub fn after_catalog(error: &catalog::Error) -> Option<&'static str> {
    match error {
        catalog::Error::RepositoryUnknown { name } if name.contains('/') => Some(
            "This is a place, and the name of a repository is asked for: `keepward repository list` shows those that are known here. To know the one at \
             that place: `keepward repository add PATH --name NAME --password-file FILE`.",
        ),
        catalog::Error::RepositoryUnknown { .. } => Some(
            "`keepward repository list` shows those that are known here; `keepward repository init PATH --name NAME` makes a new one.",
        ),
        _ => None,
    }
}

/// After an error of a repository: where nothing was found in a folder of this machine, how far its path leads.
pub fn after_repository(error: &repository::Error) -> Option<String> {
    let repository::Error::NotFound(place) = error else {
        return None;
    };
    let path = Path::new(place);
    if !path.is_absolute() {
        return None;
    }
    let missing = path.ancestors().filter(|folder| !folder.exists()).last();
    Some(match missing {
        None => "The folder is there, and no repository is in it. If it lies on a disk or share of its own, see whether that is mounted; if another folder was meant, \
             check the path. `keepward repository init PATH` makes a new one."
            .to_owned(),
        Some(folder) if folder == path => "There is no such folder. Check its name, and whether its disk is mounted. `keepward repository list` shows what is known here; \
             `keepward repository init PATH` makes a new one."
            .to_owned(),
        Some(folder) => format!(
            "The path is wrong from {} on, which is not there: check it. `keepward repository list` shows what is known here.",
            folder.display()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_a_name_and_how_far_it_leads() {
        let folder = tempfile::tempdir().unwrap();
        let hint = |path: &str| {
            let place = folder.path().join(path).display().to_string();
            after_repository(&repository::Error::NotFound(place)).unwrap()
        };
        assert!(hint("").contains("is there"), "{}", hint(""));
        assert!(hint("nope").contains("its disk is mounted"));
        let wrong = hint("no/such/place");
        let from = format!("wrong from {} on", folder.path().join("no").display());
        assert!(
            wrong.contains(&from) && !wrong.contains("mounted"),
            "{wrong}"
        );
        let cloud = repository::Error::NotFound("AmazonS3(bucket)".to_owned());
        assert_eq!(after_repository(&cloud), None);
        for (name, words) in [("/a/b", "add PATH"), ("nope", "repository list")] {
            let name = name.to_owned();
            let unknown = catalog::Error::RepositoryUnknown { name };
            assert!(after_catalog(&unknown).unwrap().contains(words));
        }
    }
}
