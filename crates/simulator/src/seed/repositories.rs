//! Repositories with the histories that a backup meets: branches that moved or vanished, tags of tags, pull requests,
//! LFS, names beyond ASCII, a fork, and none at all.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Maker;
use super::files::png;
use super::words::FOREIGN;
use crate::git::bare::Bare;
use crate::git::{self, Change, Commit, Creation, repository_not_found};
use crate::server::ApiError;

/// 2025-06-02.
const BEGIN: i64 = 1_748_822_400;

pub(crate) fn create(maker: &Maker, project: Uuid, name: &str) -> Result<Uuid, ApiError> {
    let data = maker.world.data().to_owned();
    maker.with(|organization| git::create(organization, &data, &Creation::new(project, name)))
}

/// The repository of a name.
pub(crate) fn find(maker: &Maker, project: Uuid, name: &str) -> Result<Uuid, ApiError> {
    maker.with(|organization| Ok(organization.git.open(Some(project), name)?.id))
}

pub(crate) fn bare(maker: &Maker, repository: Uuid) -> Result<Bare, ApiError> {
    let missing = || repository_not_found(&repository.to_string());
    maker.with(|organization| {
        Ok(organization
            .git
            .get(repository)
            .ok_or_else(missing)?
            .bare
            .clone())
    })
}

/// What a revision names, which the seed has made before.
pub(crate) async fn object(
    maker: &Maker,
    repository: Uuid,
    revision: &str,
) -> Result<String, ApiError> {
    let found = bare(maker, repository)?.resolve(revision).await?;
    found.ok_or_else(|| ApiError::bad_request(format!("{revision} does not exist")))
}

impl Maker {
    /// A commit by somebody, `number` steps after the beginning.
    pub(crate) fn commit(&mut self, branch: &str, number: u32, changes: Vec<Change>) -> Commit {
        let person = self.person();
        let seconds = BEGIN + i64::from(number) * 47_311 + i64::from(self.dice.below(20_000));
        let message = if self.dice.chance(4) {
            format!("{}\n", self.dice.pick(&FOREIGN))
        } else {
            format!("{}\n\n{}\n", self.dice.title(), self.dice.sentence())
        };
        Commit {
            reference: format!("refs/heads/{branch}"),
            from: None,
            merge: Vec::new(),
            author: (person.display_name.clone(), person.unique_name.clone()),
            date: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds),
            message,
            changes,
        }
    }

    pub(crate) fn source(&mut self, path: &str) -> Change {
        let count = 5 + self.dice.below(40);
        let sentences: Vec<String> = (0..count).map(|_| self.dice.sentence()).collect();
        let text = format!("// {}\n", sentences.join("\n// "));
        Change::Write {
            path: path.to_owned(),
            content: text.into_bytes(),
        }
    }

    /// Commits on a branch as one push of somebody.
    pub(crate) async fn push(
        &mut self,
        repository: Uuid,
        commits: &[Commit],
    ) -> Result<(), ApiError> {
        let person = self.person();
        git::write(
            &self.world,
            &self.organization,
            repository,
            commits,
            None,
            &person,
        )
        .await
        .map(drop)
    }

    /// Moves refs by `git update-ref` lines, as one push of somebody.
    pub(crate) async fn move_refs(
        &mut self,
        repository: Uuid,
        lines: &str,
    ) -> Result<(), ApiError> {
        let person = self.person();
        let bare = bare(self, repository)?;
        let before = bare.tips().await?;
        bare.run_with(&["update-ref", "--stdin"], lines.as_bytes())
            .await?;
        git::record(
            &self.world,
            &self.organization,
            repository,
            &before,
            &person,
        )
        .await
        .map(drop)
    }
}

/// A linear history of `count` commits on `branch` over a few folders.
pub(crate) fn line(maker: &mut Maker, branch: &str, count: u32, first: u32) -> Vec<Commit> {
    let readme = Change::Write {
        path: "README.md".to_owned(),
        content: format!("# {branch}\n\n{}\n", maker.dice.paragraph()).into_bytes(),
    };
    let mut commits = Vec::new();
    let mut opening = Some(readme);
    for number in first..first + count {
        let mut changes: Vec<Change> = opening.take().into_iter().collect();
        for _ in 0..=maker.dice.below(2) {
            let path = format!("src/{}/{}.rs", maker.dice.word(), maker.dice.word());
            changes.push(maker.source(&path));
        }
        commits.push(maker.commit(branch, number, changes));
    }
    commits
}

/// A common repository: `main`, `develop` and `release/1.0`, tags, documents for a code wiki, a script and a symlink.
pub(super) async fn ordinary(
    maker: &mut Maker,
    repository: Uuid,
    commits: u32,
) -> Result<(), ApiError> {
    let mut main = line(maker, "main", commits, 0);
    if let Some(first) = main.first_mut() {
        first.changes.push(Change::WriteExecutable {
            path: "build.sh".to_owned(),
            content: b"#!/bin/sh\nexec make\n".to_vec(),
        });
        first.changes.push(Change::Symlink {
            path: "docs/latest".to_owned(),
            target: "Start.md".to_owned(),
        });
        for (path, text) in [
            ("docs/Start.md", "# Start\n\nSee [details](/Details).\n"),
            ("docs/Details.md", "# Details\n"),
            ("docs/.order", "Start\nDetails"),
        ] {
            first.changes.push(Change::Write {
                path: path.to_owned(),
                content: text.as_bytes().to_vec(),
            });
        }
    }
    maker.push(repository, &main).await?;
    let mut develop = line(maker, "develop", 6, commits);
    develop[0].from = Some("refs/heads/main~3".to_owned());
    maker.push(repository, &develop).await?;
    let head = object(maker, repository, "refs/heads/main~5").await?;
    maker
        .move_refs(
            repository,
            &format!("create refs/heads/release/1.0 {head}\ncreate refs/tags/v0.9 {head}\n"),
        )
        .await?;
    tag(maker, repository, "v1.0", "refs/heads/main~2")
        .await
        .map(drop)
}

/// An annotated tag of any object; returns its id.
pub(crate) async fn tag(
    maker: &mut Maker,
    repository: Uuid,
    name: &str,
    of: &str,
) -> Result<String, ApiError> {
    let bare = bare(maker, repository)?;
    let object = object(maker, repository, of).await?;
    let kind = bare.text(&["cat-file", "-t", &object]).await?;
    let text = format!(
        "object {object}\ntype {}\ntag {name}\ntagger Release Bot <release@contoso.example> {BEGIN} +0000\n\n{}\n",
        kind.trim(),
        maker.dice.title(),
    );
    let made = bare.run_with(&["mktag"], text.as_bytes()).await?;
    let made = String::from_utf8_lossy(&made).trim().to_owned();
    maker
        .move_refs(repository, &format!("update refs/tags/{name} {made}\n"))
        .await?;
    Ok(made)
}

/// The repository of the caller's history; a generated one if there is none, or if it is shallow.
pub(super) async fn history(
    maker: &mut Maker,
    repository: Uuid,
    path: Option<&Path>,
) -> Result<(), ApiError> {
    let Some(path) = path else {
        return ordinary(maker, repository, 300).await;
    };
    let person = maker.person();
    let target = bare(maker, repository)?;
    let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    let complete = target.fetch_from(path, &all).await?;
    let tips = target.tips().await?;
    if complete && !tips.keys().any(|name| name.starts_with("refs/heads/")) {
        // A detached checkout has no branches; a repository without commits has no HEAD either.
        let head = target.fetch_from(path, &["+HEAD:refs/heads/main"]).await;
        if let Err(error) = head {
            tracing::info!(%error, "the given repository has no commits");
        }
    }
    match git::record(
        &maker.world,
        &maker.organization,
        repository,
        &BTreeMap::new(),
        &person,
    )
    .await?
    {
        Some(_) => Ok(()),
        None => ordinary(maker, repository, 300).await,
    }
}

/// Pointers to three LFS objects of different sizes, one of them replaced by another in the history.
pub(super) async fn with_lfs(maker: &mut Maker, repository: Uuid) -> Result<(), ApiError> {
    let attributes =
        b"*.psd filter=lfs diff=lfs merge=lfs -text\n*.mp4 filter=lfs diff=lfs merge=lfs -text\n"
            .to_vec();
    let mut commits = vec![maker.commit(
        "main",
        0,
        vec![Change::Write {
            path: ".gitattributes".to_owned(),
            content: attributes,
        }],
    )];
    for (number, (path, size)) in [
        ("logo.psd", 320),
        ("logo.psd", 48_000),
        ("films/tour.mp4", 1_300_000),
    ]
    .into_iter()
    .enumerate()
    {
        let content = maker.dice.bytes(size);
        let pointer = maker.with(|organization| {
            let missing = || repository_not_found(&repository.to_string());
            git::store_lfs(
                organization.git.get_mut(repository).ok_or_else(missing)?,
                &content,
            )
        })?;
        let change = Change::Write {
            path: path.to_owned(),
            content: pointer.into_bytes(),
        };
        commits.push(maker.commit("main", 1 + number as u32, vec![change]));
    }
    maker.push(repository, &commits).await
}

/// Pull-request refs, tags of tags and of a tree, a force-pushed and a deleted branch.
pub(super) async fn eventful(maker: &mut Maker, repository: Uuid) -> Result<(), ApiError> {
    let main = line(maker, "main", 40, 0);
    maker.push(repository, &main).await?;
    for (number, name) in [
        "feature/login",
        "feature/検索",
        "experiment/old",
        "users/adele/spike",
    ]
    .into_iter()
    .enumerate()
    {
        let mut branch = line(maker, name, 4, 40 + number as u32);
        branch[0].from = Some(format!("refs/heads/main~{}", number + 1));
        maker.push(repository, &branch).await?;
        if number < 3 {
            let mut merge = maker.commit("main", 60 + number as u32, Vec::new());
            merge.reference = format!("refs/pull/{}/merge", number + 1);
            merge.from = Some("refs/heads/main".to_owned());
            merge.merge = vec![format!("refs/heads/{name}")];
            merge.message = format!("Merge pull request {} from {name} into main\n", number + 1);
            maker.push(repository, &[merge]).await?;
        }
    }
    let mut forced = line(maker, "feature/login", 3, 70);
    forced[0].from = Some("refs/heads/feature/login~2".to_owned());
    maker.push(repository, &forced).await?;
    maker
        .move_refs(repository, "delete refs/heads/experiment/old\n")
        .await?;
    tag(maker, repository, "v1.0", "refs/heads/main~4").await?;
    let signed = tag(maker, repository, "v1.1", "refs/heads/main").await?;
    tag(maker, repository, "release/current", &signed).await?;
    tag(maker, repository, "sources", "refs/heads/main^{tree}").await?;
    let tip = object(maker, repository, "refs/heads/main~1").await?;
    maker
        .move_refs(
            repository,
            &format!("create refs/tags/light {tip}\ncreate refs/notes/review {tip}\n"),
        )
        .await
}

/// File, folder and branch names beyond ASCII.
pub(super) async fn foreign(maker: &mut Maker, repository: Uuid) -> Result<(), ApiError> {
    let names = [
        "Größe/Überblick.md",
        "документы/план работ.txt",
        "文書/第一章.md",
        "emoji 🎉/👩‍💻.txt",
        "عربي/ملف.txt",
        "with space/a+b & c%20d #1.txt",
        "quotes/\"it's\".txt",
    ];
    let mut commits = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        let content = format!(
            "{}\n{}\n",
            maker.dice.pick(&FOREIGN),
            maker.dice.paragraph()
        )
        .into_bytes();
        commits.push(maker.commit(
            "main",
            number as u32,
            vec![Change::Write {
                path: name.to_owned(),
                content,
            }],
        ));
    }
    let image = png(&mut maker.dice);
    commits.push(maker.commit(
        "main",
        9,
        vec![
            Change::Write {
                path: "画像/図.png".to_owned(),
                content: image,
            },
            Change::Delete {
                path: "quotes/\"it's\".txt".to_owned(),
            },
        ],
    ));
    maker.push(repository, &commits).await?;
    let mut branch = line(maker, "тема/новая-ветка", 2, 10);
    branch[0].from = Some("refs/heads/main".to_owned());
    maker.push(repository, &branch).await
}

/// A fork that has gone on by itself.
pub(super) async fn fork(
    maker: &mut Maker,
    project: Uuid,
    name: &str,
    parent: Uuid,
) -> Result<Uuid, ApiError> {
    let data = maker.world.data().to_owned();
    let creation = Creation {
        parent: Some(parent),
        ..Creation::new(project, name)
    };
    let id = maker.with(|organization| git::create(organization, &data, &creation))?;
    let person = maker.person();
    git::fork_content(&maker.world, &maker.organization, parent, id, None, &person).await?;
    let more = line(maker, "main", 3, 90);
    maker.push(id, &more).await?;
    Ok(id)
}
