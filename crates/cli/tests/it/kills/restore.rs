//! A restore of everything into an empty organization.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::World;

use super::undisturbed;
use super::victim::{self, Place, Point, Writes};

pub(crate) struct Restore {
    pub(super) writes: u64,
    /// What an undisturbed restore comes to.
    expected: Made,
    count: u32,
}

/// What an organization holds, without what differs from one to the next.
type Made = BTreeMap<String, Vec<String>>;

async fn made(world: &World, organization: &str) -> Made {
    let state = world
        .get(&format!("/__state?organization={organization}"))
        .await;
    let names = |value: &Value| {
        let mut names: Vec<String> = value.as_array()?.iter().map(named).collect();
        names.sort();
        Some(names)
    };
    let members = state.as_object().unwrap().iter();
    members
        // A file whose upload was answered to a dead process is there once more, and nothing refers to it; items count their own.
        .filter(|(name, _)| *name != "attachments")
        .filter_map(|(name, value)| Some((name.clone(), names(value)?)))
        .collect()
}

/// A title or name, and how many of what belongs to it.
fn named(item: &Value) -> String {
    let name = ["title", "name", "displayName", "project", "path"]
        .iter()
        .find_map(|member| item[member].as_str());
    let many = item.as_object().unwrap().iter();
    let many: Vec<String> = many
        .filter_map(|(member, value)| Some(format!("{member} {}", value.as_array()?.len())))
        .collect();
    format!("{}: {}", name.unwrap_or_default(), many.join(", "))
}

/// An empty organization, and a plan that fills it.
async fn plan(world: &World, organization: &str) -> String {
    let made = world
        .post("/__organizations", &json!({"name": organization}))
        .await;
    let file = format!("pat-{organization}");
    world.file(&file, made["pat"].as_str().unwrap());
    world.connect(organization, &file).await.exits(0);
    let arguments = [
        "restore",
        "plan",
        "latest",
        "--everything",
        "--into",
        organization,
    ];
    let from = ["--repository", "undisturbed"];
    let planned = world.keepward(&[&arguments[..], &from].concat()).await;
    planned.exits(0);
    planned.event("plan")["id"].as_str().unwrap().to_owned()
}

impl Restore {
    pub(super) async fn prepare(world: &World) -> Self {
        let plan = plan(world, "restored").await;
        let place = Place::Organization("restored".to_owned());
        Self {
            writes: undisturbed(world, &["restore", "apply", &plan], place).await,
            expected: made(world, "restored").await,
            count: 0,
        }
    }

    /// What it did when it was killed; `None` if it was not.
    pub(super) async fn kill(&mut self, world: &World, point: u64) -> Option<String> {
        self.count += 1;
        let organization = format!("restored-{}", self.count);
        let plan = plan(world, &organization).await;
        let apply = ["restore", "apply", &plan];
        let place = Place::Organization(organization.clone());
        let mut writes = Writes::begin(world, place).await;
        let point = if point > self.writes {
            Point::Phase("verify")
        } else {
            Point::Write(point)
        };
        let ended = victim::run(world, &apply, &mut writes, Some(point)).await;
        let killed = ended.was_killed(&writes);
        let applied = world.keepward(&apply).await;
        assert!(matches!(applied.code, Some(0 | 3)), "{}", applied.told());
        let result = applied.event("result");
        let wrong = (&result["failed"], &result["differs"]);
        assert_eq!(wrong, (&json!(0), &json!(0)), "{}", applied.told());
        assert_eq!(
            made(world, &organization).await,
            self.expected,
            "{}",
            applied.told()
        );
        killed.then_some(ended.phase)
    }
}
