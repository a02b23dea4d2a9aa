//! History, page by page.

use jiff::Timestamp;

use super::{Bare, Revision, components, damaged, in_time, unknown};
use crate::git::process::{listed, run_to, run_with};
use crate::git::{Oid, oid};
use crate::{Error, Result};

/// A commit in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitLine {
    pub id: Oid,
    pub parents: Vec<Oid>,
    pub author: String,
    pub email: String,
    /// `None` for a time that makes no sense.
    pub at: Option<Timestamp>,
    pub subject: String,
}

const FORMAT: &str = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%aI%x00%s";
const FIELDS: usize = 6;
/// Characters of a name or subject: a hostile one may have megabytes.
const LINE: usize = 500;

impl Bare {
    /// Commits from `tip` back, behind the commit `after`, at most so many; of one file or folder when `path` is not empty. The second
    /// value says whether more follow.
    pub async fn commits(
        &self,
        tip: Revision,
        path: &str,
        after: Option<Oid>,
        most: usize,
    ) -> Result<(Vec<CommitLine>, bool)> {
        in_time(async {
            let tip = self.objects()?.peel(tip, "commit").await?;
            let mut ids = self.walk(tip, path, after, most + 1).await?;
            let more = ids.len() > most;
            ids.truncate(most);
            if ids.is_empty() {
                return Ok((Vec::new(), false));
            }
            let printed = run_with(self.log(FORMAT), &listed(&ids)).await?;
            Ok((parse(&printed)?, more))
        })
        .await
    }

    /// The ids alone; git is stopped when they are enough.
    async fn walk(
        &self,
        tip: Oid,
        path: &str,
        after: Option<Oid>,
        most: usize,
    ) -> Result<Vec<Oid>> {
        let tip = tip.to_string();
        let mut arguments = vec!["rev-list", &tip, "--"];
        if !path.is_empty() {
            components(path).ok_or_else(|| unknown("such path"))?;
            arguments.push(path);
        }
        let mut ids = Vec::new();
        let mut begun = after.is_none();
        let (mut line, mut odd) = (Vec::new(), false);
        let mut take = |piece: &[u8]| {
            for byte in piece {
                if *byte != b'\n' {
                    line.push(*byte);
                    odd |= line.len() > 40;
                } else if let Some(id) = oid(&line) {
                    line.clear();
                    if begun {
                        ids.push(id);
                    }
                    begun |= Some(id) == after;
                } else {
                    odd = true;
                }
                if odd || ids.len() == most {
                    return false;
                }
            }
            true
        };
        run_to(self.git(&arguments), &[], &mut take).await?;
        if odd {
            return Err(Error::malformed("git printed a line that is no commit"));
        }
        if !begun {
            return Err(unknown("such commit to go on after"));
        }
        Ok(ids)
    }
}

fn parse(printed: &[u8]) -> Result<Vec<CommitLine>> {
    let mut fields: Vec<&[u8]> = printed.split(|byte| *byte == 0).collect();
    // Each record ends with a NUL.
    fields.pop();
    let line = |fields: &[&[u8]]| {
        let id = oid(fields[0])?;
        Some(CommitLine {
            id,
            parents: ids(fields[1])?,
            author: text(fields[2], LINE),
            email: text(fields[3], LINE),
            at: time(fields[4]),
            subject: text(fields[5], LINE),
        })
    };
    fields
        .chunks_exact(FIELDS)
        .map(|fields| line(fields).ok_or_else(|| damaged("a commit cannot be read")))
        .collect()
}

pub(super) fn ids(field: &[u8]) -> Option<Vec<Oid>> {
    let words = field.split(|byte| *byte == b' ');
    words.filter(|word| !word.is_empty()).map(oid).collect()
}

pub(super) fn text(field: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(field);
    text.chars().take(most).collect()
}

pub(super) fn time(field: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(field).ok()?.parse().ok()
}
