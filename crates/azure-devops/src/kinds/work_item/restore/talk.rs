//! Comments after the replay: what was edited or deleted later, and what no revision carried.

use jiff::Timestamp;
use service::http::{Method, segment};
use service::{Client, Restore, Result};

use super::place::Project;
use super::source::{Comment, Source, comments};
use super::upload::Uploads;
use crate::api::{DEV, PREVIEW_4};
use crate::kinds::work_item::comments::lines;

/// Brings the discussion at the target to what it was last.
pub(super) async fn mend(
    cx: &Restore<'_>,
    source: &Source,
    new_id: &str,
    project: &Project,
    uploads: &mut Uploads<'_>,
) -> Result<Vec<String>> {
    let replayed = source
        .replay
        .steps
        .iter()
        .filter(|step| step.history.is_some())
        .count();
    let plain = source
        .comments
        .iter()
        .all(|comment| comment.version <= 1 && !comment.deleted && !comment.markdown);
    if source.comments.is_empty() || (plain && source.comments.len() <= replayed) {
        return Ok(Vec::new());
    }
    let http = cx.target.http;
    let Ok(id) = new_id.parse() else {
        return Ok(Vec::new());
    };
    let there = comments(&lines(http, &project.name, id).await?, b"")?;
    let path = format!(
        "/{}/_apis/wit/workItems/{}/comments",
        segment(&project.name),
        segment(new_id)
    );
    let (mut edited, mut added) = (0, 0);
    for (comment, twin) in pair(&source.comments, &there) {
        let write = Write {
            http,
            path: &path,
            comment,
        };
        match twin {
            Some(twin) if comment.deleted && twin.deleted => {}
            Some(twin) if comment.deleted => write.delete(twin).await?,
            Some(twin) => edited += u32::from(write.edit(twin, uploads).await?),
            None if comment.deleted || comment.text.is_empty() => {}
            None => {
                write.add(uploads).await?;
                added += 1;
            }
        }
    }
    let mut losses = Vec::new();
    if edited > 0 {
        losses.push(format!("{edited} comments were edited later: the edit is by the restoring identity, with the date of the restore"));
    }
    if added > 0 {
        losses.push(format!("{added} comments belong to no revision: they are by the restoring identity, with the date of the restore"));
    }
    Ok(losses)
}

/// What is done about one comment.
struct Write<'a> {
    http: &'a Client,
    path: &'a str,
    comment: &'a Comment,
}

impl Write<'_> {
    fn format(&self) -> &'static str {
        if self.comment.markdown {
            "markdown"
        } else {
            "html"
        }
    }

    async fn delete(&self, twin: &Comment) -> Result<()> {
        let path = format!("{}/{}", self.path, twin.id);
        self.http
            .call(Method::DELETE, DEV, &path)
            .version(PREVIEW_4)
            .send()
            .await?;
        Ok(())
    }

    /// Whether anything differed.
    async fn edit(&self, twin: &Comment, uploads: &mut Uploads<'_>) -> Result<bool> {
        let text = uploads.rewrite(&self.comment.text).await?;
        if text == twin.text && self.comment.markdown == twin.markdown {
            return Ok(false);
        }
        let path = format!("{}/{}", self.path, twin.id);
        let call = self
            .http
            .call(Method::PATCH, DEV, &path)
            .version(PREVIEW_4)
            .query("format", self.format());
        call.json(&serde_json::json!({ "text": text }))
            .send()
            .await?;
        Ok(true)
    }

    async fn add(&self, uploads: &mut Uploads<'_>) -> Result<()> {
        let text = uploads.rewrite(&self.comment.text).await?;
        let call = self
            .http
            .call(Method::POST, DEV, self.path)
            .version(PREVIEW_4)
            .query("format", self.format());
        call.json(&serde_json::json!({ "text": text }))
            .send()
            .await?;
        Ok(())
    }
}

/// Each stored comment with the one that the replay made of it: by its moment, or by its text.
fn pair<'a, 'b>(
    stored: &'a [Comment],
    there: &'b [Comment],
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
        *twin = take(&|twin| twin.text == comment.first || twin.text == comment.text);
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
            comment(2, 20, "b"),
            comment(3, 30, "c"),
            comment(4, 40, "d"),
        ];
        let there = [
            comment(11, 99, "b"),
            comment(12, 10, "a"),
            comment(13, 30, "other"),
        ];
        let pairs: Vec<_> = pair(&stored, &there)
            .into_iter()
            .map(|(one, twin)| (one.id, twin.map(|twin| twin.id)))
            .collect();
        assert_eq!(
            pairs,
            [(1, Some(12)), (2, Some(11)), (3, Some(13)), (4, None)]
        );
    }
}
