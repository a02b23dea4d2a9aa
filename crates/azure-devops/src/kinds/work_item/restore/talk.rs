//! Comments after the replay: what was edited or deleted later, and what no revision carried.

use jiff::Timestamp;
use service::http::{Method, segment};
use service::{Client, Restore, Result, StoredItem};

use super::Progress;
use super::place::Project;
use super::source::{Comment, Source, comments};
use super::upload::Uploads;
use crate::api::{DEV, PREVIEW_4};
use crate::kinds::work_item::comments::lines;

/// The discussion of one item on its way to the target.
pub(super) struct Talk<'a> {
    pub(super) cx: &'a Restore<'a>,
    pub(super) item: &'a StoredItem,
    pub(super) source: &'a Source,
    pub(super) project: &'a Project,
}

impl Talk<'_> {
    /// Brings the discussion at the target to what it was last. What an interrupted run has done of it is seen there and left alone.
    pub(super) async fn mend(
        &self,
        progress: &mut Progress,
        uploads: &mut Uploads<'_>,
    ) -> Result<Vec<String>> {
        if !self.needs_mending() {
            return Ok(Vec::new());
        }
        let no_number = || {
            service::Error::malformed(format!(
                "{}: its number at the target is not known",
                self.item.item
            ))
        };
        let new_id = self.item.new_id.as_deref().ok_or_else(no_number)?;
        let id = new_id.parse().map_err(|_| no_number())?;
        let http = self.cx.target.http;
        let there = comments(&lines(http, &self.project.name, id).await?, b"")?;
        let path = format!(
            "/{}/_apis/wit/workItems/{}/comments",
            segment(&self.project.name),
            segment(new_id)
        );
        let (mut edited, mut added) = (0, 0);
        let pairs = pair(&self.source.comments, &there, |text| {
            uploads.rewrite_known(text)
        });
        for (comment, twin) in pairs {
            let write = Write {
                http,
                path: &path,
                comment,
            };
            match twin {
                Some(twin) if comment.deleted && twin.deleted => {}
                Some(twin) if comment.deleted => {
                    if comment.markdown != twin.markdown {
                        write.put(Some(twin), &twin.text).await?;
                    }
                    write.delete(twin).await?;
                }
                None if comment.deleted || comment.text.is_empty() => {}
                twin => {
                    let text = uploads.rewrite(&comment.text).await?;
                    if let Some(twin) = twin {
                        edited += u32::from(comment.version > 1);
                        if text == twin.text && comment.markdown == twin.markdown {
                            continue;
                        }
                    } else {
                        added += 1;
                    }
                    progress.note_uploads(self.cx, self.item, uploads).await?;
                    write.put(twin, &text).await?;
                }
            }
        }
        Ok(losses(edited, added))
    }

    /// Whether the replay of the revisions alone may leave the discussion other than it was.
    fn needs_mending(&self) -> bool {
        let comments = &self.source.comments;
        let steps = self.source.replay.steps.iter();
        let replayed = steps.filter(|step| step.history.is_some()).count();
        let plain =
            |comment: &Comment| comment.version <= 1 && !comment.deleted && !comment.markdown;
        comments.len() > replayed || !comments.iter().all(plain)
    }
}

fn losses(edited: u32, added: u32) -> Vec<String> {
    let mut losses = Vec::new();
    if edited > 0 {
        losses.push(format!("{edited} comments were edited later: the edit is by the restoring identity, with the date of the restore"));
    }
    if added > 0 {
        losses.push(format!("{added} comments belong to no revision: they are by the restoring identity, with the date of the restore"));
    }
    losses
}

/// What is done about one comment.
struct Write<'a> {
    http: &'a Client,
    path: &'a str,
    comment: &'a Comment,
}

impl Write<'_> {
    async fn delete(&self, twin: &Comment) -> Result<()> {
        let path = format!("{}/{}", self.path, twin.id);
        self.http
            .call(Method::DELETE, DEV, &path)
            .version(PREVIEW_4)
            .send()
            .await?;
        Ok(())
    }

    /// Edits the comment that the replay has made, or adds one.
    async fn put(&self, twin: Option<&Comment>, text: &str) -> Result<()> {
        let format = if self.comment.markdown {
            "markdown"
        } else {
            "html"
        };
        let call = match twin {
            Some(twin) => {
                let path = format!("{}/{}", self.path, twin.id);
                self.http.call(Method::PATCH, DEV, &path)
            }
            None => self.http.call(Method::POST, DEV, self.path),
        };
        call.version(PREVIEW_4)
            .query("format", format)
            .json(&serde_json::json!({ "text": text }))
            .send()
            .await?;
        Ok(())
    }
}

/// Each stored comment with the one that the replay made of it: by its moment, or by its text, which `as_there` says in the target's
/// addresses.
fn pair<'a, 'b>(
    stored: &'a [Comment],
    there: &'b [Comment],
    as_there: impl Fn(&str) -> String,
) -> Vec<(&'a Comment, Option<&'b Comment>)> {
    let mut free: Vec<&Comment> = there.iter().collect();
    let mut take = |wanted: &dyn Fn(&Comment) -> bool| {
        let at = free.iter().position(|comment| wanted(comment))?;
        Some(free.remove(at))
    };
    let mut pairs: Vec<_> = stored
        .iter()
        .map(|comment| (comment, take(&|twin| near(comment.created, twin.created))))
        .collect();
    for (comment, twin) in pairs.iter_mut().filter(|(_, twin)| twin.is_none()) {
        let texts = [as_there(&comment.first), as_there(&comment.text)];
        *twin = take(&|twin| texts.contains(&twin.text));
    }
    pairs
}

/// Dates may have been moved by some milliseconds to keep the order.
fn near(one: Option<Timestamp>, other: Option<Timestamp>) -> bool {
    one.zip(other)
        .is_some_and(|(one, other)| one.duration_since(other).abs().as_millis() < 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_paired_by_moment_and_then_by_text() {
        let comment = |id: u32, second: i64, text: &str| Comment {
            id,
            created: Timestamp::from_second(second).ok(),
            text: text.to_owned(),
            first: text.to_owned(),
            ..Comment::default()
        };
        let stored = [
            comment(1, 10, "a"),
            comment(2, 20, "b at source"),
            comment(3, 30, "c"),
            comment(4, 40, "d"),
        ];
        let there = [
            comment(11, 99, "b at target"),
            comment(12, 10, "a"),
            comment(13, 30, "other"),
        ];
        let pairs: Vec<_> = pair(&stored, &there, |text| text.replace("source", "target"))
            .into_iter()
            .map(|(one, twin)| (one.id, twin.map(|twin| twin.id)))
            .collect();
        assert_eq!(
            pairs,
            [(1, Some(12)), (2, Some(11)), (3, Some(13)), (4, None)]
        );
    }
}
