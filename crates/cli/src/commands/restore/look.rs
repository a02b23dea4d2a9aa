//! Plans, their steps and the people in them, here and at a server alike.

use serde_json::{Value, json};

use super::{Identities, SKIP, Steps};
use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment, table};

const ACTIONS: [&str; 7] = [
    "create", "undelete", "replace", "merge", "remove", "skip", "export",
];

pub(super) async fn list(api: &Api, output: &Output) -> Result<Exit, Failure> {
    let plans = api.list("/restore-plans").await?;
    output.rows(
        &["plan", "created", "snapshot", "into", "state"],
        &plans,
        |plan| {
            let snapshot = text(plan, "snapshot");
            vec![
                text(plan, "id").to_owned(),
                moment(&text(plan, "created_at")),
                snapshot.get(..8).unwrap_or(snapshot).to_owned(),
                text(&plan["target"], "connector").to_owned(),
                text(plan, "state").replace('_', " "),
            ]
        },
    );
    Ok(Exit::Done)
}

pub(super) async fn show(api: &Api, plan: &str, output: &Output) -> Result<Exit, Failure> {
    let plan = api
        .get(&format!("/restore-plans/{}", segment(plan)))
        .await?;
    tell(&plan, output);
    Ok(Exit::Done)
}

/// Whether applying it does anything.
pub(super) fn writes(plan: &Value) -> bool {
    let mut counts = plan["counts"].as_array().into_iter().flatten();
    let of = |counts: &Value, action: &str| counts[action].as_u64().unwrap_or(0);
    let writing = ACTIONS.iter().filter(|action| **action != SKIP);
    counts.any(|counts| writing.clone().any(|action| of(counts, action) > 0))
}

pub(super) fn tell(plan: &Value, output: &Output) {
    output.event(plan);
    let target = &plan["target"];
    output.line(format!(
        "plan {} ({}): snapshot {} into {} ({})\n",
        text(plan, "id"),
        text(plan, "state").replace('_', " "),
        text(plan, "snapshot").get(..8).unwrap_or_default(),
        text(target, "connector"),
        text(target, "organization")
    ));
    let counts = plan["counts"].as_array().into_iter().flatten();
    let rows = counts.flat_map(|counts| {
        let some = ACTIONS.iter().filter(|action| counts[**action] != 0);
        some.map(|action| {
            vec![
                text(counts, "kind").to_owned(),
                (*action).to_owned(),
                counts[*action].to_string(),
            ]
        })
        .collect::<Vec<_>>()
    });
    output.line(table(&["kind", "action", "items"], rows));
    let losses = plan["losses"].as_array().into_iter().flatten();
    for (at, loss) in losses.enumerate() {
        if at == 0 {
            output.line("\nWhat will not come back as it was:");
        }
        output.line(format!("  - {}", text(loss, "text")));
    }
    if let Some(name) = plan["confirm"].as_str() {
        output.line(format!(
            "\nit replaces or removes what is there: apply it with --confirm {name}"
        ));
    }
    if let Some(error) = plan["error"].as_str() {
        output.line(format!("\nits last run failed: {error}"));
    }
}

pub(super) async fn steps(api: &Api, steps: &Steps, output: &Output) -> Result<Exit, Failure> {
    let mut query = Vec::new();
    let given = [
        ("kind", &steps.kind),
        ("action", &steps.action),
        ("state", &steps.state),
    ];
    for (name, value) in given {
        query.extend(
            value
                .as_ref()
                .map(|value| format!("{name}={}", segment(value))),
        );
    }
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!(
        "/restore-plans/{}/steps{mark}{}",
        segment(&steps.plan),
        query.join("&")
    );
    let mut rows = api.list_most(&path, steps.limit).await?;
    rows.truncate(steps.limit);
    output.rows(
        &["kind", "id", "name", "action", "state", "new id", "why"],
        &rows,
        |step| {
            let differences = step["differences"].as_array().into_iter().flatten();
            let why = differences
                .filter_map(Value::as_str)
                .chain(step["reason"].as_str());
            vec![
                text(step, "kind").to_owned(),
                text(step, "item").to_owned(),
                text(step, "name").to_owned(),
                text(step, "action").to_owned(),
                text(step, "state").to_owned(),
                text(step, "new_id").to_owned(),
                why.collect::<Vec<_>>().join("; "),
            ]
        },
    );
    Ok(Exit::Done)
}

pub(super) async fn identities(
    api: &Api,
    identities: &Identities,
    output: &Output,
) -> Result<Exit, Failure> {
    let path = format!("/restore-plans/{}/identities", segment(&identities.plan));
    if !identities.map.is_empty() {
        let mut items = Vec::with_capacity(identities.map.len());
        for pair in &identities.map {
            let Some((from, to)) = pair.split_once('=') else {
                return Err(Failure::usage(
                    format!("`{pair}` is no pair"),
                    "give --map anna@contoso.com=anna@fabrikam.com",
                ));
            };
            let to = (!to.is_empty()).then(|| json!({ "unique_name": to }));
            items.push(json!({ "from": { "unique_name": from }, "to": to }));
        }
        api.put(&path, Some(&json!({ "items": items }))).await?;
    }
    let people = api.list(&path).await?;
    output.rows(
        &["person", "name", "items", "at the target", "becomes"],
        &people,
        |person| {
            // Of the one who is written.
            let known = match &person["to"] {
                Value::Null if person["found"] == true => "known",
                Value::Null => "not known",
                to if to["checked"] == true => "known",
                _ => "not checked",
            };
            vec![
                text(&person["from"], "unique_name").to_owned(),
                text(&person["from"], "name").to_owned(),
                person["items"].to_string(),
                known.to_owned(),
                text(&person["to"], "unique_name").to_owned(),
            ]
        },
    );
    Ok(Exit::Done)
}

pub(super) async fn remove(api: &Api, plan: &str, output: &Output) -> Result<Exit, Failure> {
    api.delete(&format!("/restore-plans/{}", segment(plan)))
        .await?;
    output.result(&json!({ "removed": plan }));
    output.line(format!("plan {plan} is removed"));
    Ok(Exit::Done)
}
