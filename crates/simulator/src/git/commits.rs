//! Commits: search, read, changes.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::bare::{Bare, GitError};
use super::errors::{argument, object_not_found, version_not_found};
use super::pushes;
use super::rest::{self, Opened};
use super::shape;
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

const PAGE: usize = 100;
/// One record a commit: fields between `\x1f`, then the names that changed against the first parent.
const FORMAT: &str =
    "--format=%x1e%H%x1f%an%x1f%ae%x1f%at%x1f%cn%x1f%ce%x1f%ct%x1f%P%x1f%T%x1f%B%x1f";

/// A commit as `git log` tells it.
pub(crate) struct CommitInfo {
    pub id: String,
    author: Signature,
    committer: Signature,
    parents: Vec<String>,
    pub tree: String,
    message: String,
    /// Letter of the change and path.
    changes: Vec<(char, String)>,
}

struct Signature {
    name: String,
    mail: String,
    date: String,
}

/// What to look for, from the query or from the body of a batch.
#[derive(Default)]
struct Criteria {
    top: Option<usize>,
    skip: usize,
    version: Option<String>,
    kind: Option<String>,
    compare: Option<(String, Option<String>)>,
    path: Option<String>,
    author: Option<String>,
    user: Option<String>,
    from_date: Option<String>,
    to_date: Option<String>,
    from_commit: Option<String>,
    to_commit: Option<String>,
    ids: Option<Vec<String>>,
    oldest_first: bool,
    exclude_deletes: bool,
    /// Only what came with this push.
    push: Option<usize>,
}

pub(super) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let batch = call
        .segments
        .get(3)
        .is_some_and(|segment| segment.eq_ignore_ascii_case("commitsbatch"));
    match (&call.method, batch, call.segments.len()) {
        (&Method::POST, true, 4) => search(world, call, &opened, &from_body(call)?).await,
        (&Method::GET, false, 4) => search(world, call, &opened, &from_query(call)?).await,
        (&Method::GET, false, 5) => read(world, call, &opened).await,
        (&Method::GET, false, 6) if call.segments[5].eq_ignore_ascii_case("changes") => {
            changes(call, &opened).await
        }
        _ => Err(ApiError::no_route(call)),
    }
}

fn from_query(call: &Call) -> Result<Criteria, ApiError> {
    let text = |name: &str| {
        call.query
            .get(&format!("searchCriteria.{name}"))
            .map(str::to_owned)
    };
    let number = |name: &str| match call.query.number(&format!("searchCriteria.{name}"))? {
        Some(number) => Ok(Some(number)),
        None => call.query.number(name),
    };
    let list = call.query.list("searchCriteria.ids");
    Ok(Criteria {
        top: number("$top")?.or(call.query.number("top")?),
        skip: number("$skip")?.or(call.query.number("skip")?).unwrap_or(0),
        version: text("itemVersion.version"),
        kind: text("itemVersion.versionType"),
        compare: text("compareVersion.version")
            .map(|version| (version, text("compareVersion.versionType"))),
        path: text("itemPath"),
        author: text("author"),
        user: text("user"),
        from_date: text("fromDate"),
        to_date: text("toDate"),
        from_commit: text("fromCommitId"),
        to_commit: text("toCommitId"),
        ids: list.map(|ids| ids.into_iter().map(str::to_owned).collect()),
        oldest_first: call.query.flag("searchCriteria.showOldestCommitsFirst"),
        exclude_deletes: call.query.flag("searchCriteria.excludeDeletes"),
        push: call.query.number("pushId")?,
    })
}

fn from_body(call: &Call) -> Result<Criteria, ApiError> {
    let body = call.value()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |value: &Value| value.as_u64().map(|number| number as usize);
    let ids = body["ids"].as_array().map(|ids| {
        ids.iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect()
    });
    Ok(Criteria {
        top: call.query.number("$top")?.or(number(&body["$top"])),
        skip: call
            .query
            .number("$skip")?
            .or(number(&body["$skip"]))
            .unwrap_or(0),
        version: text(&body["itemVersion"]["version"]),
        kind: text(&body["itemVersion"]["versionType"]),
        compare: text(&body["compareVersion"]["version"])
            .map(|version| (version, text(&body["compareVersion"]["versionType"]))),
        path: text(&body["itemPath"]),
        author: text(&body["author"]),
        user: text(&body["user"]),
        from_date: text(&body["fromDate"]),
        to_date: text(&body["toDate"]),
        from_commit: text(&body["fromCommitId"]),
        to_commit: text(&body["toCommitId"]),
        ids,
        oldest_first: body["showOldestCommitsFirst"].as_bool().unwrap_or(false),
        exclude_deletes: body["excludeDeletes"].as_bool().unwrap_or(false),
        push: None,
    })
}

async fn search(
    world: &SharedWorld,
    call: &Call,
    opened: &Opened,
    criteria: &Criteria,
) -> Result<Reply, ApiError> {
    let mut arguments: Vec<String> = Vec::new();
    let (top, skip) = (criteria.top.unwrap_or(PAGE), criteria.skip);
    if criteria.oldest_first {
        // Git would turn round what it has cut already.
        arguments.push("--reverse".to_owned());
    } else {
        arguments.extend([format!("--max-count={top}"), format!("--skip={skip}")]);
    }
    let option = |name: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!("--{name}={value}"))
    };
    arguments.extend(option("author", &criteria.author));
    arguments.extend(option("committer", &criteria.user));
    arguments.extend(option("since", &criteria.from_date));
    arguments.extend(option("until", &criteria.to_date));
    if criteria.exclude_deletes {
        arguments.push("--diff-filter=d".to_owned());
    }
    let range = match criteria.push {
        Some(push) => Some(pushes::range(world, call, opened, push).await?),
        None => range(opened, criteria).await?,
    };
    let Some(range) = range else {
        return Ok(Reply::list(Vec::new()));
    };
    arguments.extend(range);
    arguments.push("--".to_owned());
    if let Some(path) = criteria
        .path
        .as_deref()
        .map(|path| path.trim_matches('/'))
        .filter(|path| !path.is_empty())
    {
        arguments.push(format!(":(literal){path}"));
    }
    let mut found = log(&opened.bare, &arguments).await?;
    if criteria.oldest_first {
        found.drain(..skip.min(found.len()));
        found.truncate(top);
    }
    Ok(Reply::list(
        found.iter().map(|commit| show(commit, opened)).collect(),
    ))
}

/// What `git log` is to walk; nothing in an empty repository.
async fn range(opened: &Opened, criteria: &Criteria) -> Result<Option<Vec<String>>, ApiError> {
    let commit = async |id: &str| -> Result<String, ApiError> {
        let found = opened.bare.resolve(&format!("{id}^{{commit}}")).await?;
        found.ok_or_else(|| object_not_found(id))
    };
    if let Some(ids) = &criteria.ids {
        let mut range = vec!["--no-walk=unsorted".to_owned()];
        for id in ids {
            range.push(commit(id).await?);
        }
        return Ok(Some(range));
    }
    let Some(start) = start(opened, criteria).await? else {
        return Ok(None);
    };
    let mut range = vec![start];
    if let Some((version, kind)) = &criteria.compare {
        let revision = rest::revision(Some(version), kind.as_deref(), None);
        let missing = || version_not_found(version);
        let base = opened
            .bare
            .resolve(&revision.ok_or_else(missing)?)
            .await?
            .ok_or_else(missing)?;
        range.push(format!("^{base}"));
    } else if let Some(from) = &criteria.from_commit {
        range.push(format!("^{}", commit(from).await?));
    }
    Ok(Some(range))
}

/// The commit to walk from; nothing in an empty repository.
async fn start(opened: &Opened, criteria: &Criteria) -> Result<Option<String>, ApiError> {
    if let Some(to) = &criteria.to_commit {
        return Ok(Some(
            opened
                .bare
                .resolve(&format!("{to}^{{commit}}"))
                .await?
                .ok_or_else(|| object_not_found(to))?,
        ));
    }
    let revision = rest::revision(
        criteria.version.as_deref(),
        criteria.kind.as_deref(),
        opened.default_branch.as_deref(),
    );
    let Some(revision) = revision else {
        return Ok(None);
    };
    let commit = opened
        .bare
        .resolve(&format!("{revision}^{{commit}}"))
        .await?;
    commit
        .map(Some)
        .ok_or_else(|| version_not_found(criteria.version.as_deref().unwrap_or(&revision)))
}

async fn log(bare: &Bare, arguments: &[String]) -> Result<Vec<CommitInfo>, ApiError> {
    let mut all = vec![
        "log",
        FORMAT,
        "--name-status",
        "--no-renames",
        "--diff-merges=first-parent",
    ];
    all.extend(arguments.iter().map(String::as_str));
    // The first record mark has nothing before it.
    let text = bare.text(&all).await?;
    let records = text.split('\x1e').skip(1);
    records
        .map(|record| {
            parse(record).ok_or_else(|| {
                ApiError::from(GitError::Unreadable {
                    command: "log",
                    said: record.to_owned(),
                })
            })
        })
        .collect()
}

fn parse(record: &str) -> Option<CommitInfo> {
    let fields: Vec<&str> = record.split('\x1f').collect();
    let [id, an, ae, at, cn, ce, ct, parents, tree, message, names] = fields.as_slice() else {
        return None;
    };
    let signature = |name: &&str, mail: &&str, seconds: &&str| {
        Some(Signature {
            name: (*name).to_owned(),
            mail: (*mail).to_owned(),
            date: Timestamp::from_second(seconds.parse().ok()?)
                .ok()?
                .to_string(),
        })
    };
    let changes: Option<Vec<_>> = names
        .lines()
        .filter(|line| !line.is_empty())
        .map(change)
        .collect();
    Some(CommitInfo {
        id: (*id).to_owned(),
        author: signature(an, ae, at)?,
        committer: signature(cn, ce, ct)?,
        parents: parents.split_whitespace().map(str::to_owned).collect(),
        tree: (*tree).to_owned(),
        message: message.trim_end().to_owned(),
        changes: changes?,
    })
}

/// Undoes git's C-style quoting of paths.
fn unquote(path: &str) -> String {
    let Some(inner) = path
        .strip_prefix('"')
        .and_then(|path| path.strip_suffix('"'))
    else {
        return path.to_owned();
    };
    let mut bytes = Vec::new();
    let mut rest = inner.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let octal = rest
            .get(..3)
            .filter(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        if let Some(digits) = octal {
            bytes.push(
                digits
                    .iter()
                    .fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'))
                    as u8,
            );
            rest = &rest[3..];
        } else if let Some((&escaped, tail)) = rest.split_first() {
            bytes.push(match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                other => other,
            });
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn signature(signature: &Signature) -> Value {
    json!({"name": signature.name, "email": signature.mail, "date": signature.date})
}

pub(super) fn counts(changes: &[(char, String)]) -> Value {
    let count = |letter: char| {
        changes
            .iter()
            .filter(|(change, _)| *change == letter)
            .count()
    };
    json!({"Add": count('A'), "Edit": count('M') + count('T'), "Delete": count('D')})
}

/// `GitCommitRef`.
fn show(commit: &CommitInfo, opened: &Opened) -> Value {
    json!({
        "commitId": commit.id,
        "author": signature(&commit.author),
        "committer": signature(&commit.committer),
        "comment": commit.message,
        "changeCounts": counts(&commit.changes),
        "url": format!("{}/commits/{}", opened.url, commit.id),
        "remoteUrl": format!("{}/commit/{}", opened.web, commit.id),
    })
}

/// The document of one commit, for answers that embed it.
pub(crate) async fn commit_of(opened: &Opened, id: &str) -> Result<Option<Value>, ApiError> {
    let found = log(
        &opened.bare,
        &["--max-count=1".to_owned(), id.to_owned(), "--".to_owned()],
    )
    .await?;
    Ok(found.first().map(|commit| {
        let mut value = show(commit, opened);
        value["treeId"] = json!(commit.tree);
        value["parents"] = json!(commit.parents);
        value
    }))
}

async fn read(world: &SharedWorld, call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let id = &call.segments[4];
    let commit = opened
        .bare
        .resolve(&format!("{id}^{{commit}}"))
        .await?
        .ok_or_else(|| object_not_found(id))?;
    let mut value = commit_of(opened, &commit)
        .await?
        .ok_or_else(|| object_not_found(id))?;
    value["_links"] = json!({
        "self": {"href": format!("{}/commits/{commit}", opened.url)},
        "repository": {"href": opened.url},
        "web": {"href": format!("{}/commit/{commit}", opened.web)},
        "changes": {"href": format!("{}/commits/{commit}/changes", opened.url)},
    });
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let push = organization.git.get(opened.id).and_then(|repository| {
        repository
            .pushes
            .iter()
            .find(|push| push.updates.iter().any(|update| update.new == commit))
    });
    if let Some(push) = push {
        value["push"] = json!({"pushedBy": push.by.reference(&call.base), "date": shape::date(push.date), "pushId": push.id});
    }
    Ok(Reply::json(value))
}

async fn changes(call: &Call, opened: &Opened) -> Result<Reply, ApiError> {
    let id = &call.segments[4];
    let commit = opened
        .bare
        .resolve(&format!("{id}^{{commit}}"))
        .await?
        .ok_or_else(|| object_not_found(id))?;
    let found = log(
        &opened.bare,
        &["--max-count=1".to_owned(), commit.clone(), "--".to_owned()],
    )
    .await?;
    let info = found.first().ok_or_else(|| object_not_found(id))?;
    let (top, skip) = (
        call.query.number("top")?.unwrap_or(usize::MAX),
        call.query.number("skip")?.unwrap_or(0),
    );
    let before = format!("{commit}^");
    let mut shown = Vec::new();
    for (letter, path) in info.changes.iter().skip(skip).take(top) {
        shown.push(change_document(opened, (&before, &commit), *letter, path).await?);
    }
    Ok(Reply::json(
        json!({"changeCounts": counts(&info.changes), "changes": shown}),
    ))
}

/// Letter of the change and path of each file that differs.
pub(super) async fn changes_between(
    bare: &Bare,
    from: &str,
    to: &str,
) -> Result<Vec<(char, String)>, ApiError> {
    let arguments = ["diff-tree", "-r", "--name-status", "--no-renames", from, to];
    let text = bare.text(&arguments).await?;
    let changes = text.lines().map(|line| {
        change(line).ok_or_else(|| {
            ApiError::from(GitError::Unreadable {
                command: "diff-tree",
                said: line.to_owned(),
            })
        })
    });
    changes.collect()
}

/// `M\tpath`, as git tells it.
fn change(line: &str) -> Option<(char, String)> {
    let (letter, path) = line.split_once('\t')?;
    Some((letter.chars().next()?, unquote(path)))
}

/// `GitChange` of a file between two commits.
pub(super) async fn change_document(
    opened: &Opened,
    (before, after): (&str, &str),
    letter: char,
    path: &str,
) -> Result<Value, ApiError> {
    let kind = match letter {
        'A' => "add",
        'D' => "delete",
        'M' | 'T' => "edit",
        _ => return Err(argument(format!("unknown change {letter}"))),
    };
    let side = if letter == 'D' { before } else { after };
    let object = opened.bare.resolve(&format!("{side}:{path}")).await?;
    Ok(json!({
        "item": {
            "objectId": object,
            "gitObjectType": "blob",
            "commitId": after,
            "path": format!("/{path}"),
            "url": format!("{}/items/{}?versionType=Commit&version={after}", opened.url, shape::encode(path)),
        },
        "changeType": kind,
    }))
}
