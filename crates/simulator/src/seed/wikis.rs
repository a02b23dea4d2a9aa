//! A project wiki with images and pages below pages, and a code wiki.

use uuid::Uuid;

use super::Maker;
use super::files::png;
use super::words::FOREIGN;
use crate::git::Change;
use crate::server::ApiError;
use crate::wiki::{self, NewWiki};

fn text(path: &str, content: String) -> Change {
    Change::Write {
        path: path.to_owned(),
        content: content.into_bytes(),
    }
}

pub(super) async fn project_wiki(
    maker: &mut Maker,
    project: Uuid,
    name: &str,
) -> Result<(), ApiError> {
    let data = maker.world.data().to_owned();
    let id = maker.with(|organization| {
        wiki::create(
            organization,
            &data,
            &NewWiki {
                project,
                name,
                code: None,
            },
        )
    })?;
    let acts = [welcome(maker), guides(maker), foreign_pages()];
    for (number, changes) in acts.into_iter().enumerate() {
        let commit = maker.commit("wikiMaster", number as u32, changes);
        maker.push(id, &[commit]).await?;
        maker.pass_time(600)?;
    }
    Ok(())
}

/// Publishes a folder of a repository as a wiki.
pub(super) fn code_wiki(
    maker: &Maker,
    project: Uuid,
    name: &str,
    repository: Uuid,
    folder: &str,
) -> Result<(), ApiError> {
    let data = maker.world.data().to_owned();
    let new = NewWiki {
        project,
        name,
        code: Some((repository, folder, "main")),
    };
    maker
        .with(|organization| wiki::create(organization, &data, &new))
        .map(drop)
}

/// Adds or replaces one page of a project wiki.
pub(crate) async fn change_page(
    maker: &mut Maker,
    wiki: Uuid,
    file: &str,
    content: String,
) -> Result<(), ApiError> {
    let commit = maker.commit("wikiMaster", 400, vec![text(file, content)]);
    maker.push(wiki, &[commit]).await
}

fn welcome(maker: &mut Maker) -> Vec<Change> {
    let image = png(&mut maker.dice);
    let home = format!(
        "# Welcome\n\n{}\n\n![diagram](/.attachments/diagram-7d1f.png =100x)\n\n[[_TOSP_]]\n",
        maker.dice.paragraph()
    );
    vec![
        text("Home.md", home),
        text(
            ".order",
            "Home\nHow%2Dto-guides\nВопросы-и-ответы".to_owned(),
        ),
        Change::Write {
            path: ".attachments/diagram-7d1f.png".to_owned(),
            content: image,
        },
    ]
}

fn guides(maker: &mut Maker) -> Vec<Change> {
    let guide = format!(
        "{}\n\n::: mermaid\ngraph LR; A-->B;\n:::\n",
        maker.dice.paragraph()
    );
    let image = png(&mut maker.dice);
    vec![
        text(
            "How%2Dto-guides.md",
            format!("# Guides\n\n{}\n", maker.dice.paragraph()),
        ),
        text(
            "How%2Dto-guides/.order",
            "Build%3A-first-steps\nRelease".to_owned(),
        ),
        text("How%2Dto-guides/Build%3A-first-steps.md", guide),
        text(
            "How%2Dto-guides/Release.md",
            format!(
                "![screen](/.attachments/bild%20größe.png)\n\n{}\n",
                maker.dice.paragraph()
            ),
        ),
        Change::Write {
            path: ".attachments/bild größe.png".to_owned(),
            content: image,
        },
    ]
}

fn foreign_pages() -> Vec<Change> {
    let answers = format!("* {}\n", FOREIGN.join("\n* "));
    vec![
        text("Вопросы-и-ответы.md", answers),
        text(
            "How%2Dto-guides/Release/概要.md",
            "リリースの概要\n".to_owned(),
        ),
    ]
}
