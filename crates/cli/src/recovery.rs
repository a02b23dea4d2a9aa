//! The recovery sheet: one page that tells how to get everything back with `restic` and `git` alone.

use repository::{Bucket, Cloud, Location};

/// The sheet for a repository; it names the password's file and never holds the password.
pub(crate) fn sheet(location: &str, id: &str, password_file: &str) -> String {
    let place = location.parse::<Location>();
    let restic = place.as_ref().map(Location::restic);
    let repository = quoted(restic.as_deref().unwrap_or(location));
    let password = quoted(password_file);
    let storage = match &place {
        Ok(Location::Cloud(bucket)) => storage(bucket),
        _ => String::new(),
    };
    format!(
        "\
Keepward recovery sheet
=======================

Repository   {location}
Id           {id}
Password in  {password_file}

Keep this page and a copy of the password file away from the machine that makes
the backups. Without the password nobody can read the backups, not even you.

Keepward is not needed to get the data back. The repository has the format of
restic (https://restic.net, version 0.14 or newer), which Linux distributions
have as a package. Tell restic where the repository and its password are:

    export RESTIC_REPOSITORY={repository}
    export RESTIC_PASSWORD_FILE={password}
{storage}
What is there:

    restic snapshots
    restic ls latest

Everything, as files in the folder out:

    restic restore latest --target out

One file, here of work item 4711 (4711 / 256 is 18, so it is in group 0018):

    restic dump latest /work-items/0018/4711/work-item.json

What the files are:

  source.json                     what was backed up, when, what could not be read
  projects/<id>/project.json      a project; its teams, areas and iterations beside it
  git/<id>/                       a bare git repository
  wikis/<id>/wiki.json            a wiki; its pages are in the git repository it names
  work-items/<group>/<id>/        a work item:
    work-item.json                  fields and links
    revisions.ndjson                one revision a line
    comments.ndjson                 one comment a line, if there are any
    attachments/<id>                the files; work-item.json has their names

A git repository (repository.json in its folder has its name) becomes a working
copy with

    git clone out/git/<id> my-repository

and goes back to a server with

    git -C out/git/<id> push https://... 'refs/heads/*:refs/heads/*' 'refs/tags/*:refs/tags/*'

Files kept by git LFS are in out/git/<id>/lfs/objects. If there are any, send
them before you push:  git -C out/git/<id> lfs push --all https://...

Check now and then that the repository is whole:

    restic check --read-data
"
    )
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
        let sheet = sheet("s3://b/c?endpoint=https://h", "abc", "/p");
        assert!(
            sheet.contains("RESTIC_REPOSITORY=s3:https://h/b/c\n"),
            "{sheet}"
        );
        assert!(sheet.contains("AWS_ACCESS_KEY_ID"), "{sheet}");
    }

    #[test]
    fn its_commands_survive_blanks_and_quotes_in_paths() {
        let sheet = sheet("/backup/it's mine", "abc", "/keys/plain-1.password");
        assert!(sheet.contains(r"export RESTIC_REPOSITORY='/backup/it'\''s mine'"));
        assert!(sheet.contains("export RESTIC_PASSWORD_FILE=/keys/plain-1.password\n"));
    }
}
