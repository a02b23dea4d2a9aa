//! The recovery sheet: one page that tells how to get everything back with `restic` and `git` alone.

use std::path::Path;

use repository::{Bucket, Cloud, Location};

/// The sheet for a repository; it names the password's file, if that is known, and never holds the password.
pub(crate) fn sheet(location: &str, id: &str, password_file: Option<&Path>) -> String {
    let password_file = match password_file {
        Some(file) => whole(file),
        None => "PASSWORD-FILE".to_owned(),
    };
    let place = location.parse::<Location>();
    let restic = place.as_ref().map(Location::restic);
    let repository = quoted(restic.as_deref().unwrap_or(location));
    let password = quoted(&password_file);
    let storage = match &place {
        Ok(Location::Cloud(bucket)) => storage(bucket),
        _ => String::new(),
    };
    format!(
        include_str!("recovery/sheet.txt"),
        location = location,
        id = id,
        password_file = password_file,
        repository = repository,
        password = password,
        storage = storage,
    )
}

/// The sheet is read in another folder than it was written in.
fn whole(file: &Path) -> String {
    let whole = std::path::absolute(file);
    whole.as_deref().unwrap_or(file).display().to_string()
}

/// What opens the storage, which is not part of the address.
fn storage(bucket: &Bucket) -> String {
    match bucket.cloud {
        Cloud::S3 => "    export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...\n".to_owned(),
        Cloud::Azure => format!(
            "    export AZURE_ACCOUNT_NAME={} AZURE_ACCOUNT_KEY=...\n",
            bucket.account
        ),
        Cloud::Google => "    export GOOGLE_APPLICATION_CREDENTIALS=...\n".to_owned(),
    }
}

/// A path as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "/._-+:@%=,".contains(c));
    if plain {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_restic_where_a_bucket_is_and_what_opens_it() {
        let sheet = sheet("s3://b/c?endpoint=https://h", "abc", None);
        assert!(
            sheet.contains("RESTIC_REPOSITORY=s3:https://h/b/c\n"),
            "{sheet}"
        );
        assert!(sheet.contains("AWS_ACCESS_KEY_ID"), "{sheet}");
    }

    #[test]
    fn it_names_the_password_file_in_full_wherever_it_was_given() {
        let sheet = sheet("/backup", "abc", Some(Path::new("keys/pw")));
        let here = std::env::current_dir().unwrap();
        let line = format!("export RESTIC_PASSWORD_FILE={}/keys/pw\n", here.display());
        assert!(sheet.contains(&line), "{sheet}");
    }

    #[test]
    fn its_commands_survive_blanks_and_quotes_in_paths() {
        let sheet = sheet(
            "/backup/it's mine",
            "abc",
            Some(Path::new("/keys/plain-1.password")),
        );
        assert!(sheet.contains(r"export RESTIC_REPOSITORY='/backup/it'\''s mine'"));
        assert!(sheet.contains("export RESTIC_PASSWORD_FILE=/keys/plain-1.password\n"));
    }
}
