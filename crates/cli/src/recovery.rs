//! The recovery sheet: one page that tells how to get everything back with `restic` and `git` alone.

/// The sheet for a repository; it names the password's file and never holds the password.
pub(crate) fn sheet(location: &str, id: &str, password_file: &str) -> String {
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
restic (https://restic.net, version 0.14 or newer), which is in every Linux
distribution:

  What is there:
    restic -r {location} --password-file {password_file} snapshots
    restic -r {location} --password-file {password_file} ls latest

  Everything, as files:
    restic -r {location} --password-file {password_file} restore latest --target out

  One file:
    restic -r {location} --password-file {password_file} dump latest /work-items/0000/17/work-item.json

What the files are:

  source.json                          what was backed up, when, and what could not be read
  projects/<id>/project.json           a project; its teams, areas and iterations beside it
  git/<id>/                            a bare git repository; git/<id>/repository.json has its name
  work-items/<group>/<id>/             a work item: work-item.json (fields and links), revisions.ndjson
                                       (one revision a line), comments.ndjson, attachments/<id>
  projects/<id>/wikis/<id>/wiki.json   a wiki; its pages are in the git repository that it names

  A git repository becomes a working copy with:
    git clone out/git/<id> my-repository
  and goes back to a server with:
    git -C out/git/<id> push https://… 'refs/heads/*:refs/heads/*' 'refs/tags/*:refs/tags/*'
  Files kept by git LFS lie in out/git/<id>/lfs, where git-lfs looks for them.

Check now and then that the repository is whole:
    restic -r {location} --password-file {password_file} check --read-data
"
    )
}
