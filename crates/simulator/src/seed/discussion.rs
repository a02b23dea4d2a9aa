//! Comments: HTML and Markdown, with images and mentions, edited, deleted, with reactions.

use std::sync::Arc;

use super::Maker;
use super::items::update;
use super::words::FOREIGN;
use crate::server::ApiError;
use crate::wit::comments;
use crate::wit::patch::Operation;
use crate::wit::write;

/// Adds a comment in one of the ways that people have.
pub(crate) fn comment(maker: &mut Maker, id: u32) -> Result<(), ApiError> {
    let by = maker.person();
    let project = maker.with(|organization| {
        organization
            .wit
            .items
            .get(&id)
            .map(|item| item.project)
            .ok_or_else(|| write::unknown_item(id))
    })?;
    match maker.dice.below(6) {
        0 => {
            // Saved together with a change of fields.
            let text = format!("<div>{}</div>", maker.dice.sentence());
            let priority = 1 + maker.dice.below(4);
            let patch = [
                Operation::field("System.History", text),
                Operation::field("Microsoft.VSTS.Common.Priority", priority),
            ];
            update(maker, id, &patch, &by)
        }
        1 => {
            let url = maker.image(project, &by)?;
            let text = format!(
                "<div>{}</div><div><img src=\"{url}\"></div>",
                maker.dice.sentence()
            );
            add(maker, id, &text, false, &by)
        }
        2 => {
            let url = maker.image(project, &by)?;
            let text = format!("{}\n\n![image.png]({url})\n", maker.dice.markdown());
            add(maker, id, &text, true, &by)
        }
        3 => {
            let other = maker.person();
            let text = format!(
                "<div><a href=\"#\" data-vss-mention=\"version:2.0,{}\">@{}</a> {}</div>",
                other.id,
                other.display_name,
                maker.dice.sentence()
            );
            add(maker, id, &text, false, &by)
        }
        4 => {
            let text = format!(
                "{} 👍\n\n> {}\n",
                maker.dice.pick(&FOREIGN),
                maker.dice.sentence()
            );
            add(maker, id, &text, true, &by)
        }
        _ => {
            let text = maker.dice.html();
            add(maker, id, &text, false, &by)
        }
    }
}

fn add(
    maker: &Maker,
    id: u32,
    text: &str,
    markdown: bool,
    by: &Arc<crate::world::Person>,
) -> Result<(), ApiError> {
    maker
        .with(|organization| comments::add(organization, id, text, markdown, by))
        .map(drop)
}

/// The newest comment that stands.
fn newest(maker: &Maker, id: u32) -> Result<Option<u32>, ApiError> {
    maker.with(|organization| {
        let item = organization
            .wit
            .items
            .get(&id)
            .ok_or_else(|| write::unknown_item(id))?;
        Ok(item
            .comments
            .iter()
            .rev()
            .find(|comment| !comment.is_deleted())
            .map(|comment| comment.id))
    })
}

/// Gives the newest comment another text; false if there is none.
pub(crate) fn edit(maker: &mut Maker, id: u32) -> Result<bool, ApiError> {
    let Some(comment) = newest(maker, id)? else {
        return Ok(false);
    };
    let (by, text) = (
        maker.person(),
        format!("<div>{} (edited)</div>", maker.dice.sentence()),
    );
    maker
        .with(|organization| comments::change(organization, id, comment, Some(&text), &by))
        .map(|()| true)
}

/// Deletes the newest comment; false if there is none.
pub(crate) fn delete(maker: &mut Maker, id: u32) -> Result<bool, ApiError> {
    let Some(comment) = newest(maker, id)? else {
        return Ok(false);
    };
    let by = maker.person();
    maker
        .with(|organization| comments::change(organization, id, comment, None, &by))
        .map(|()| true)
}

/// Reacts to the newest comment, if there is one.
pub(super) fn react(maker: &mut Maker, id: u32) -> Result<(), ApiError> {
    const KINDS: [&str; 6] = ["like", "dislike", "heart", "hooray", "smile", "confused"];
    let Some(comment) = newest(maker, id)? else {
        return Ok(());
    };
    let (by, kind) = (maker.person(), (*maker.dice.pick(&KINDS)).to_owned());
    maker.with(|organization| {
        let item = organization
            .wit
            .items
            .get_mut(&id)
            .ok_or_else(|| write::unknown_item(id))?;
        if let Some(found) = item.comments.iter_mut().find(|found| found.id == comment) {
            found.reactions.push((by, kind));
        }
        Ok(())
    })
}
